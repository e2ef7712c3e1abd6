CREATE TABLE {p}ticket (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  version INTEGER NOT NULL,
  number INTEGER NOT NULL,
  shelf INTEGER NOT NULL,
  status_category INTEGER NOT NULL,
  status TEXT NOT NULL,
  priority INTEGER,
  queue_key TEXT,
  group_key TEXT,
  assignee_id BLOB,
  requester_id BLOB NOT NULL,
  organization_id BLOB,
  copied_ids BLOB,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_requester_at INTEGER,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX {p}ticket_number ON {p}ticket (tenant_id, number);
CREATE INDEX {p}ticket_created ON {p}ticket (tenant_id, created_at);
CREATE INDEX {p}ticket_updated ON {p}ticket (tenant_id, updated_at);
CREATE INDEX {p}ticket_requester ON {p}ticket (tenant_id, requester_id, number);
CREATE INDEX {p}ticket_assignee ON {p}ticket (tenant_id, assignee_id, number) WHERE assignee_id IS NOT NULL;
CREATE INDEX {p}ticket_waiting ON {p}ticket (tenant_id, number) WHERE assignee_id IS NULL AND status_category <= 1;
CREATE INDEX {p}ticket_organization ON {p}ticket (tenant_id, organization_id, number) WHERE organization_id IS NOT NULL;
CREATE INDEX {p}ticket_copied ON {p}ticket (tenant_id, number) WHERE copied_ids IS NOT NULL;

CREATE TABLE {p}message (
  tenant_id BLOB NOT NULL,
  ticket_id BLOB NOT NULL,
  seq INTEGER NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant_id, ticket_id, seq)
);

CREATE TABLE {p}event (
  position INTEGER PRIMARY KEY,
  tenant_id BLOB NOT NULL,
  stream_kind TEXT NOT NULL,
  stream_id BLOB NOT NULL,
  n INTEGER NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX {p}event_stream ON {p}event (tenant_id, stream_kind, stream_id, n);
CREATE INDEX {p}event_feed ON {p}event (tenant_id);
CREATE INDEX {p}event_roster ON {p}event (tenant_id) WHERE stream_kind IN ('agent', 'config', 'presence');

CREATE TABLE {p}entity (
  tenant_id BLOB NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL,
  version INTEGER NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant_id, kind, id)
);

CREATE TABLE {p}config (
  tenant_id BLOB NOT NULL,
  version INTEGER NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant_id, version)
);

CREATE TABLE {p}unique (
  tenant_id BLOB NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  stream_kind TEXT NOT NULL,
  stream_id BLOB NOT NULL,
  PRIMARY KEY (tenant_id, kind, key)
) WITHOUT ROWID;

CREATE TABLE {p}idem (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  sha256 TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;

CREATE TABLE {p}timer (
  tenant_id BLOB NOT NULL,
  stream_kind TEXT NOT NULL,
  stream_id BLOB NOT NULL,
  kind TEXT NOT NULL,
  rank INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  set_for INTEGER NOT NULL,
  due_at INTEGER,
  is_leased INTEGER NOT NULL,
  n_claims INTEGER NOT NULL,
  n_attempts INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, stream_kind, stream_id, kind)
) WITHOUT ROWID;
CREATE INDEX {p}timer_due ON {p}timer (due_at, rank, stream_id) WHERE due_at IS NOT NULL;

CREATE TABLE {p}outbox (
  seq INTEGER PRIMARY KEY,
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  ordering_key BLOB NOT NULL,
  topic TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  due_at INTEGER,
  is_leased INTEGER NOT NULL,
  n_claims INTEGER NOT NULL,
  n_attempts INTEGER NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX {p}outbox_id ON {p}outbox (tenant_id, id);
CREATE INDEX {p}outbox_lane ON {p}outbox (tenant_id, ordering_key);
CREATE INDEX {p}outbox_due ON {p}outbox (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE {p}dead (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  died_at INTEGER NOT NULL,
  n_claims INTEGER NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX {p}dead_died ON {p}dead (tenant_id, died_at, id);
