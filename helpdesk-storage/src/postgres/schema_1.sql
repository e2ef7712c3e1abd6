-- A table's primary key is made after its other indexes: of indexes that seem as cheap, as all do while
-- a table is young, the planner takes the one that was made last.
CREATE TABLE {p}ticket (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  version bigint NOT NULL,
  number bigint NOT NULL,
  shelf smallint NOT NULL,
  status_category smallint NOT NULL,
  status text COLLATE "C" NOT NULL,
  priority smallint,
  queue_key text COLLATE "C",
  group_key text COLLATE "C",
  assignee_id uuid,
  requester_id uuid NOT NULL,
  organization_id uuid,
  copied_ids uuid[],
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  last_requester_at bigint,
  due_at bigint,
  doc text NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX {i}ticket_number ON {p}ticket (tenant_id, number);
CREATE INDEX {i}ticket_created ON {p}ticket (tenant_id, created_at);
CREATE INDEX {i}ticket_updated ON {p}ticket (tenant_id, updated_at);
CREATE INDEX {i}ticket_due ON {p}ticket (tenant_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX {i}ticket_requester ON {p}ticket (tenant_id, requester_id, number);
CREATE INDEX {i}ticket_assignee ON {p}ticket (tenant_id, assignee_id, number) WHERE assignee_id IS NOT NULL;
CREATE INDEX {i}ticket_waiting ON {p}ticket (tenant_id, number) WHERE assignee_id IS NULL AND status_category <= 1;
CREATE INDEX {i}ticket_organization ON {p}ticket (tenant_id, organization_id, number) WHERE organization_id IS NOT NULL;
CREATE INDEX {i}ticket_copied ON {p}ticket (tenant_id, number) WHERE copied_ids IS NOT NULL;
ALTER TABLE {p}ticket ADD PRIMARY KEY (tenant_id, id);

CREATE TABLE {p}message (
  tenant_id uuid NOT NULL,
  ticket_id uuid NOT NULL,
  seq bigint NOT NULL,
  doc text NOT NULL,
  PRIMARY KEY (tenant_id, ticket_id, seq)
);

CREATE TABLE {p}event (
  tenant_id uuid NOT NULL,
  stream_kind text COLLATE "C" NOT NULL,
  stream_id uuid NOT NULL,
  n bigint NOT NULL,
  position bigint NOT NULL,
  doc text NOT NULL
);
CREATE UNIQUE INDEX {i}event_feed ON {p}event (tenant_id, position);
CREATE INDEX {i}event_roster ON {p}event (tenant_id, position) WHERE stream_kind IN ('agent', 'config', 'presence');
ALTER TABLE {p}event ADD PRIMARY KEY (tenant_id, stream_kind, stream_id, n);

CREATE TABLE {p}entity (
  tenant_id uuid NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  version bigint NOT NULL,
  doc text NOT NULL,
  PRIMARY KEY (tenant_id, kind, id)
) WITH (fillfactor = 85);

CREATE TABLE {p}config (
  tenant_id uuid NOT NULL,
  version bigint NOT NULL,
  doc text NOT NULL,
  PRIMARY KEY (tenant_id, version)
);

CREATE TABLE {p}unique (
  tenant_id uuid NOT NULL,
  kind text COLLATE "C" NOT NULL,
  key bytea NOT NULL,
  stream_kind text COLLATE "C" NOT NULL,
  stream_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, kind, key)
);

CREATE TABLE {p}idem (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  expires_at bigint NOT NULL,
  doc text NOT NULL
);
CREATE INDEX {i}idem_expires ON {p}idem (tenant_id, expires_at);
ALTER TABLE {p}idem ADD PRIMARY KEY (tenant_id, id);

CREATE TABLE {p}timer (
  tenant_id uuid NOT NULL,
  stream_kind text COLLATE "C" NOT NULL,
  stream_id uuid NOT NULL,
  kind text COLLATE "C" NOT NULL,
  rank smallint NOT NULL,
  generation integer NOT NULL,
  set_for bigint NOT NULL,
  due_at bigint,
  is_leased boolean NOT NULL,
  n_claims integer NOT NULL,
  n_attempts integer NOT NULL
);
CREATE INDEX {i}timer_due ON {p}timer (tenant_id, due_at, rank, stream_id) WHERE due_at IS NOT NULL;
ALTER TABLE {p}timer ADD PRIMARY KEY (tenant_id, stream_kind, stream_id, kind);

CREATE TABLE {p}outbox (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  seq bigint NOT NULL,
  ordering_key uuid NOT NULL,
  topic text COLLATE "C" NOT NULL,
  not_before bigint NOT NULL,
  due_at bigint NOT NULL,
  is_leased boolean NOT NULL,
  n_claims integer NOT NULL,
  n_attempts integer NOT NULL,
  doc text NOT NULL
);
CREATE INDEX {i}outbox_lane ON {p}outbox (tenant_id, ordering_key, seq);
CREATE INDEX {i}outbox_due ON {p}outbox (tenant_id, due_at, seq);
ALTER TABLE {p}outbox ADD PRIMARY KEY (tenant_id, id);

CREATE TABLE {p}dead (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  died_at bigint NOT NULL,
  n_claims integer NOT NULL,
  n_attempts integer NOT NULL,
  ordering_key uuid NOT NULL,
  topic text COLLATE "C" NOT NULL,
  why text NOT NULL,
  doc text NOT NULL
);
CREATE INDEX {i}dead_died ON {p}dead (tenant_id, died_at, id);
ALTER TABLE {p}dead ADD PRIMARY KEY (tenant_id, id);

-- Jobs that one node at a time does, of no tenant.
CREATE TABLE {p}lease (
  name text COLLATE "C" PRIMARY KEY,
  owner text COLLATE "C" NOT NULL,
  generation bigint NOT NULL,
  until bigint NOT NULL
);

-- One row. Transaction numbers of this server, shifted by so many, are the feed's:
-- a dump that is restored on another server begins behind those that it holds.
CREATE TABLE {p}feed (
  one boolean PRIMARY KEY CHECK (one),
  server bigint NOT NULL,
  shift bigint NOT NULL
);
INSERT INTO {p}feed (one, server, shift)
  VALUES (true, (SELECT system_identifier FROM pg_control_system()), 0);
