-- What a user would pick instead, each with the shape that its kind usually has.

-- name: plain
CREATE TABLE plain (
    id uuid PRIMARY KEY,
    body jsonb NOT NULL
);

-- name: audit
-- The usual alternative: a table as it stands, and a trigger that copies each change beside it.
CREATE TABLE dose (
    id uuid PRIMARY KEY,
    record uuid NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX ON dose (record);
CREATE TABLE dose_audit (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by text NOT NULL DEFAULT current_user,
    operation text NOT NULL,
    id uuid NOT NULL,
    before jsonb,
    after jsonb
);
CREATE INDEX ON dose_audit (id);
CREATE FUNCTION keep_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dose_audit (operation, id, before, after)
    VALUES (TG_OP, NEW.id, to_jsonb(OLD), to_jsonb(NEW));
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_change AFTER INSERT OR UPDATE ON dose
    FOR EACH ROW EXECUTE FUNCTION keep_change();

-- name: chained
-- Each row holds the hash of the one before: one writer at a time, or the chain forks.
CREATE TABLE chained (
    number bigint PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    body jsonb NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE chain_head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    number bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO chain_head (number, hash) VALUES (0, sha256(''));
CREATE FUNCTION chain(new_id uuid, new_body jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head chain_head;
BEGIN
    SELECT * INTO head FROM chain_head FOR UPDATE;
    head.number := head.number + 1;
    head.hash := sha256(head.hash || convert_to(new_body::text, 'UTF8'));
    INSERT INTO chained VALUES (head.number, new_id, new_body, head.hash);
    UPDATE chain_head SET number = head.number, hash = head.hash;
    RETURN head.number;
END
$$;

-- name: messages
-- A message store by what Message DB documents: streams in categories, a position within the
-- stream, an expected version, one advisory lock for each category while a message is written.
CREATE TABLE messages (
    global_position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position bigint NOT NULL,
    time timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    stream_name text NOT NULL,
    type text NOT NULL,
    data jsonb,
    metadata jsonb,
    id uuid NOT NULL UNIQUE
);
CREATE UNIQUE INDEX ON messages (stream_name, position);
CREATE INDEX ON messages (split_part(stream_name, '-', 1), global_position);
CREATE FUNCTION append_message(
    new_id uuid, new_stream text, new_type text, new_data jsonb, new_metadata jsonb,
    expected_version bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    newest bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(split_part(new_stream, '-', 1), 0));
    SELECT max(position) INTO newest FROM messages WHERE stream_name = new_stream;
    newest := coalesce(newest, -1);
    IF expected_version IS NOT NULL AND expected_version <> newest THEN
        RAISE EXCEPTION 'Wrong expected version: % (Stream: %, Stream Version: %)',
            expected_version, new_stream, newest;
    END IF;
    INSERT INTO messages (position, stream_name, type, data, metadata, id)
    VALUES (newest + 1, new_stream, new_type, new_data, new_metadata, new_id);
    RETURN newest + 1;
END
$$;
