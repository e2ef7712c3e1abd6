-- Fewer trees for a commit to write to.
--
-- The number that finds a ticket, where no row of `unique` says so.
ALTER TABLE {p}ticket ADD COLUMN number_key TEXT;
-- A ticket's messages lie side by side, from this place on; those of tickets without one are in
-- `message`. A place is that of the conversation, times 2^32, and the message's number.
ALTER TABLE {p}ticket ADD COLUMN conversation INTEGER;
CREATE TABLE {p}conversation (
  place INTEGER PRIMARY KEY,
  doc TEXT NOT NULL
);
-- A message that was put into an empty lane together with the lane's ticket is found by that; the
-- others of a lane by the index.
ALTER TABLE {p}ticket ADD COLUMN outbox_seq INTEGER;
ALTER TABLE {p}outbox ADD COLUMN is_alone INTEGER;
DROP INDEX {p}outbox_lane;
CREATE INDEX {p}outbox_lane ON {p}outbox (tenant_id, ordering_key) WHERE is_alone IS NULL;
-- The row of the journal in which a ticket begins is found by the ticket; the other rows of a
-- stream by the index.
ALTER TABLE {p}ticket ADD COLUMN first_run INTEGER;
ALTER TABLE {p}event ADD COLUMN is_first INTEGER;
DROP INDEX {p}event_stream;
CREATE UNIQUE INDEX {p}event_stream ON {p}event (tenant_id, stream_kind, stream_id, n)
  WHERE is_first IS NULL;
-- The stretches of 128 positions in which a tenant has rows of the journal.
CREATE TABLE {p}stretch (
  tenant_id BLOB NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, n)
) WITHOUT ROWID;
INSERT INTO {p}stretch (tenant_id, n) SELECT DISTINCT tenant_id, position / 128 FROM {p}event;
DROP INDEX {p}event_feed;
