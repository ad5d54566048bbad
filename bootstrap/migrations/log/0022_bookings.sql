-- Supplies of seats and appointments, as they stand now.

SET LOCAL ROLE vaxledger_project;

INSERT INTO views.positions (name, position) VALUES ('bookings', 0);

CREATE TABLE views.supplies (
    supply uuid PRIMARY KEY,
    site uuid NOT NULL,
    division text COLLATE "C" NOT NULL,
    day date NOT NULL,
    product text COLLATE "C" NOT NULL,
    opened_position bigint NOT NULL
);
CREATE INDEX supplies_product ON views.supplies (product, day, division);
CREATE INDEX supplies_site ON views.supplies (site, day);

CREATE TABLE views.slots (
    supply uuid NOT NULL,
    slot integer NOT NULL,
    starts text NOT NULL,
    ends text NOT NULL,
    capacity integer NOT NULL,
    is_closed boolean NOT NULL,
    version bigint NOT NULL,  -- of the supply
    PRIMARY KEY (supply, slot)
);

CREATE TABLE views.appointments (
    appointment uuid PRIMARY KEY,
    supply uuid NOT NULL,
    slot integer NOT NULL,
    site uuid NOT NULL,
    division text COLLATE "C" NOT NULL,
    day date NOT NULL,
    product text COLLATE "C" NOT NULL,
    dose_number integer NOT NULL,
    channel text NOT NULL,
    person uuid NOT NULL,
    booker uuid NOT NULL,
    state text NOT NULL,
    has_seat boolean NOT NULL,
    held_until timestamptz NOT NULL,
    booking_number text,
    punctuality text,
    record uuid,
    dose uuid,
    visit uuid,
    version bigint NOT NULL,
    held_position bigint NOT NULL
);
CREATE INDEX appointments_slot ON views.appointments (supply, slot) WHERE has_seat;
CREATE INDEX appointments_site ON views.appointments (site, day);
CREATE INDEX appointments_number ON views.appointments (booking_number);
CREATE INDEX appointments_held ON views.appointments (held_until) WHERE state = 'held';
CREATE INDEX appointments_booked ON views.appointments (day) WHERE state = 'booked';

RESET ROLE;
