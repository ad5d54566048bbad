-- name: facts
SELECT
    current_setting('server_version_num')::int,
    (SELECT system_identifier::text FROM pg_control_system()),
    current_database()::text,
    current_user::text,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
    coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),
    inet_client_addr() IS NULL OR inet_client_addr() << inet '127.0.0.0/8'
        OR inet_client_addr() = inet '::1',
    current_setting('fsync')::bool,
    current_setting('full_page_writes')::bool,
    current_setting('data_checksums')::bool,
    current_setting('data_sync_retry')::bool,
    current_setting('server_encoding') = 'UTF8',
    current_setting('max_connections')::int,
    pg_is_in_recovery(),
    extract(epoch FROM current_setting('checkpoint_timeout')::interval)::int,
    current_setting('wal_compression') IN ('pglz', 'on'),
    clock_timestamp();
