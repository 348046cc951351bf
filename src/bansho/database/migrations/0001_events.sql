-- What Base has taken in, as Manager keeps it (docs/house.md, "The event"), a partition a day of arrival (UTC).
create table event (
    serial bigint not null,
    id text not null,
    id_extended text not null,
    reason smallint not null,
    process_id bigint,
    user_id bigint,
    group_id bigint,
    user_name text,
    group_name text,
    occurred_at timestamptz not null,
    arrived_at timestamptz not null,
    source_server text not null,
    source_serial bigint not null,
    destination_server text,
    source_address text,
    severity text,
    message text not null,
    attributes jsonb not null,
    primary key (serial, arrived_at)
) partition by range (arrived_at);

-- The console reads the newest first: all of them by the primary key, backwards, or those of a severity or a source.
create index event_severity on event (severity, serial);
create index event_source on event (source_server, serial);

-- The partition for a day is there afterwards; whether it was made now. It is attached, not created in place, so that
-- readers go on: attaching does not lock them out.
create function ensure_event_day(day date) returns boolean language plpgsql as $$
declare
    name text := 'event_' || to_char(day, 'YYYYMMDD');
begin
    perform pg_advisory_xact_lock(hashtext('ensure_event_day'));
    -- Not to_regclass: while we waited for the lock, what a session remembers of absent tables is not brought up to date.
    if exists (select from pg_class where relname = name and relnamespace = current_schema::regnamespace) then
        return false;
    end if;
    execute format('create table %I (like event including all)', name);
    execute format(
        'alter table event attach partition %I for values from (%L) to (%L)',
        name, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC'
    );
    return true;
end
$$;

-- How far Manager has taken over from Base; written in the transaction that writes the events.
create table intake (
    single boolean primary key default true check (single),
    high_water bigint not null default 0
);
insert into intake default values;

-- Who may write: the epoch of the lease (CONTRACT 5). It only grows.
create table ownership (
    single boolean primary key default true check (single),
    epoch bigint not null default 0,
    node text not null default '',
    since timestamptz not null default now()
);
insert into ownership default values;
