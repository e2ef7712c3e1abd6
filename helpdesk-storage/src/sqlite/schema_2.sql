ALTER TABLE {p}ticket ADD COLUMN due_at INTEGER;
CREATE INDEX {p}ticket_due ON {p}ticket (tenant_id, due_at) WHERE due_at IS NOT NULL;
UPDATE {p}timer SET rank = CASE kind
  WHEN 'redate' THEN 0
  WHEN 'presence_ends' THEN 1
  WHEN 'offer_expires' THEN 2
  WHEN 'answer_due' THEN 3
  WHEN 'idle_unassign' THEN 4
  WHEN 'snooze' THEN 5
  WHEN 'sla_warning' THEN 6
  WHEN 'sla_breach' THEN 7
  WHEN 'escalation' THEN 8
  WHEN 'auto_close' THEN 9
  WHEN 'unload' THEN 10
  WHEN 'look_again' THEN 11
  ELSE 12 END;
