-- Supplies of seats and appointments.

-- name: copy_supplies
COPY supplies (supply, site, division, day, product, opened_position) FROM STDIN

-- name: slots
SELECT supply::text, slot, starts, ends, capacity, is_closed, version
FROM slots WHERE supply = ANY(%(keys)s::uuid[])

-- name: delete_slots
DELETE FROM slots WHERE supply = ANY(%(keys)s::uuid[])

-- name: copy_slots
COPY slots (supply, slot, starts, ends, capacity, is_closed, version) FROM STDIN

-- name: appointments
SELECT appointment::text, supply, slot, site, division, day, product, dose_number, channel, person,
       booker, state, has_seat, held_until, booking_number, punctuality, record, dose, visit,
       version, held_position
FROM appointments WHERE appointment = ANY(%(keys)s::uuid[])

-- name: delete_appointments
DELETE FROM appointments WHERE appointment = ANY(%(keys)s::uuid[])

-- name: copy_appointments
COPY appointments (appointment, supply, slot, site, division, day, product, dose_number, channel,
                   person, booker, state, has_seat, held_until, booking_number, punctuality,
                   record, dose, visit, version, held_position)
FROM STDIN

-- name: offers
SELECT s.supply, s.site, s.division, s.day, s.product, l.slot, l.starts, l.ends, l.capacity,
       l.is_closed, l.version,
       (SELECT count(*) FROM views.appointments a
        WHERE a.supply = l.supply AND a.slot = l.slot AND a.has_seat) AS taken
FROM views.supplies s JOIN views.slots l USING (supply)
WHERE s.product = %(product)s AND s.day BETWEEN %(first)s AND %(last)s
  AND s.division LIKE ANY(%(divisions)s)
ORDER BY s.day, s.division, s.site, l.starts, l.slot
LIMIT %(limit)s

-- name: supplies_of_site
SELECT s.supply, s.site, s.division, s.day, s.product, l.slot, l.starts, l.ends, l.capacity,
       l.is_closed, l.version,
       (SELECT count(*) FROM views.appointments a
        WHERE a.supply = l.supply AND a.slot = l.slot AND a.has_seat) AS taken
FROM views.supplies s JOIN views.slots l USING (supply)
WHERE s.site = %(site)s AND s.day = %(day)s
ORDER BY l.starts, s.product, l.slot

-- name: appointment
SELECT a.appointment, a.supply, a.slot, a.site, a.division, a.day, a.product, a.dose_number,
       a.channel, a.person, a.booker, a.state, a.held_until, a.booking_number, a.punctuality,
       a.record, a.dose, a.visit, a.version, a.held_position, l.starts, l.ends
FROM views.appointments a JOIN views.slots l USING (supply, slot)
WHERE a.appointment = %(key)s

-- name: appointment_of_number
SELECT a.appointment, a.supply, a.slot, a.site, a.division, a.day, a.product, a.dose_number,
       a.channel, a.person, a.booker, a.state, a.held_until, a.booking_number, a.punctuality,
       a.record, a.dose, a.visit, a.version, a.held_position, l.starts, l.ends
FROM views.appointments a JOIN views.slots l USING (supply, slot)
WHERE a.booking_number = %(key)s

-- name: day_of_site
SELECT a.appointment, a.supply, a.slot, a.site, a.division, a.day, a.product, a.dose_number,
       a.channel, a.person, a.booker, a.state, a.held_until, a.booking_number, a.punctuality,
       a.record, a.dose, a.visit, a.version, a.held_position, l.starts, l.ends
FROM views.appointments a JOIN views.slots l USING (supply, slot)
WHERE a.site = %(site)s AND a.day = %(day)s AND a.has_seat AND a.state <> 'held'
ORDER BY l.starts, a.product, a.booking_number

-- name: over
SELECT appointment FROM views.appointments
WHERE state = 'held' AND held_until <= %(now)s
UNION ALL
SELECT appointment FROM views.appointments
WHERE state = 'booked' AND day < %(today)s
LIMIT %(limit)s

-- name: booked_in
SELECT appointment FROM views.appointments
WHERE supply = %(supply)s AND slot = %(slot)s AND has_seat AND state = 'booked'
ORDER BY appointment

-- name: use
SELECT s.site, s.day, s.product, sum(l.capacity)::int AS capacity, sum(a.held)::int AS held,
       sum(a.booked)::int AS booked, sum(a.came)::int AS came, sum(a.missed)::int AS missed,
       sum(CASE WHEN l.is_closed THEN 0 ELSE l.capacity - a.taken END)::int AS free
FROM views.supplies s JOIN views.slots l USING (supply)
CROSS JOIN LATERAL (
    SELECT count(*) AS taken,
           count(*) FILTER (WHERE state = 'held') AS held,
           count(*) FILTER (WHERE state = 'booked') AS booked,
           count(*) FILTER (WHERE state IN ('arrived_scanned', 'redeemed')) AS came,
           count(*) FILTER (WHERE state = 'no_show') AS missed
    FROM views.appointments WHERE supply = l.supply AND slot = l.slot AND has_seat
) a
WHERE s.day BETWEEN %(first)s AND %(last)s AND s.division LIKE %(division)s
GROUP BY s.site, s.day, s.product
ORDER BY s.day, s.site, s.product
