-- Claims go tenant by tenant, so that each gets its share.
DROP INDEX {p}timer_due;
CREATE INDEX {p}timer_due ON {p}timer (tenant_id, due_at, rank, stream_id) WHERE due_at IS NOT NULL;
DROP INDEX {p}outbox_due;
CREATE INDEX {p}outbox_due ON {p}outbox (tenant_id, due_at) WHERE due_at IS NOT NULL;
