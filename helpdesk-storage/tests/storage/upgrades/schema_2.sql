CREATE TABLE hd_schema (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL);
INSERT INTO hd_schema VALUES (1, '26d28296f10cf3f3cc876e033d4277cb38c096f8c5d83c258fa0644365e6169e');
INSERT INTO hd_schema VALUES (2, 'bd70e8acfc7f70f9aa3c497830b6b65b329b214a573417c4646d9cb898dea7c4');
CREATE TABLE hd_ticket (
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
  doc TEXT NOT NULL, due_at INTEGER,
  PRIMARY KEY (tenant_id, id)
);
INSERT INTO hd_ticket VALUES (X'000000000000000000000000000A11CE', X'019B8D627E7F7D3DB32350FD5712A2DB', 4, 1, 0, 1, 'open', 1, 'billing', 'billing', X'000000000000000000000000000000A6', X'019B8D627E7F7DBDB6D8845AF62884CA', NULL, NULL, 1767603601023456, 1767603601023456, 1767603601023456, '{"ticket":{"id":"019b8d62-7e7f-7d3d-b323-50fd5712a2db","number":"HD-1","subject":"Invoice 1 is missing from our account","requester":"019b8d62-7e7f-7dbd-b6d8-845af62884ca","channel":"email","channels":["email"],"mailbox":"support","language":"en","status":"open","category":"open","priority":"normal","queue":"billing","entered_queue_at":"2026-01-05T09:00:01.023456Z","group":"billing","assignee":"00000000-0000-0000-0000-0000000000a6","tier":"l1","tags":["invoice"],"newest_public_seq":1,"newest_public_bytes":400,"counters":{"messages":1,"attachments":0,"reopens":0,"reassignments":0,"agent_touches":0},"times":{"created_at":"2026-01-05T09:00:01.023456Z","updated_at":"2026-01-05T09:00:01.023456Z","assigned_at":"2026-01-05T09:00:01.023456Z","last_requester_at":"2026-01-05T09:00:01.023456Z"}},"weight":0,"counts":false,"stage":0}', NULL);
INSERT INTO hd_ticket VALUES (X'000000000000000000000000000A11CE', X'019B8D6282037BA0B3420C647367C5B2', 4, 2, 0, 1, 'open', 1, 'billing', 'billing', X'000000000000000000000000000000A6', X'019B8D62820377E2A0F87B395148E0D3', NULL, NULL, 1767603601923456, 1767603601923456, 1767603601923456, '{"ticket":{"id":"019b8d62-8203-7ba0-b342-0c647367c5b2","number":"HD-2","subject":"Invoice 2 is missing from our account","requester":"019b8d62-8203-77e2-a0f8-7b395148e0d3","channel":"email","channels":["email"],"mailbox":"support","language":"en","status":"open","category":"open","priority":"normal","queue":"billing","entered_queue_at":"2026-01-05T09:00:01.923456Z","group":"billing","assignee":"00000000-0000-0000-0000-0000000000a6","tier":"l1","tags":["invoice"],"newest_public_seq":1,"newest_public_bytes":400,"counters":{"messages":1,"attachments":0,"reopens":0,"reassignments":0,"agent_touches":0},"times":{"created_at":"2026-01-05T09:00:01.923456Z","updated_at":"2026-01-05T09:00:01.923456Z","assigned_at":"2026-01-05T09:00:01.923456Z","last_requester_at":"2026-01-05T09:00:01.923456Z"}},"weight":0,"counts":false,"stage":0}', NULL);
INSERT INTO hd_ticket VALUES (X'000000000000000000000000000A11CE', X'019B8D6285877B869F31D7D2E92C16A3', 4, 3, 0, 1, 'open', 1, 'billing', 'billing', X'000000000000000000000000000000A6', X'019B8D6285877A19B9E6D5B853518612', NULL, NULL, 1767603602823456, 1767603602823456, 1767603602823456, '{"ticket":{"id":"019b8d62-8587-7b86-9f31-d7d2e92c16a3","number":"HD-3","subject":"Invoice 3 is missing from our account","requester":"019b8d62-8587-7a19-b9e6-d5b853518612","channel":"email","channels":["email"],"mailbox":"support","language":"en","status":"open","category":"open","priority":"normal","queue":"billing","entered_queue_at":"2026-01-05T09:00:02.823456Z","group":"billing","assignee":"00000000-0000-0000-0000-0000000000a6","tier":"l1","tags":["invoice"],"newest_public_seq":1,"newest_public_bytes":400,"counters":{"messages":1,"attachments":0,"reopens":0,"reassignments":0,"agent_touches":0},"times":{"created_at":"2026-01-05T09:00:02.823456Z","updated_at":"2026-01-05T09:00:02.823456Z","assigned_at":"2026-01-05T09:00:02.823456Z","last_requester_at":"2026-01-05T09:00:02.823456Z"}},"weight":0,"counts":false,"stage":0}', NULL);
CREATE TABLE hd_message (
  tenant_id BLOB NOT NULL,
  ticket_id BLOB NOT NULL,
  seq INTEGER NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant_id, ticket_id, seq)
);
INSERT INTO hd_message VALUES (X'000000000000000000000000000A11CE', X'019B8D627E7F7D3DB32350FD5712A2DB', 1, '{"ticket_id":"019b8d62-7e7f-7d3d-b323-50fd5712a2db","id":"019b8d62-7e7f-7ee3-8227-8ba4c69ea29d","seq":1,"kind":"public_reply","author":{"type":"contact","id":"019b8d62-7e7f-7dbd-b6d8-845af62884ca"},"channel":"email","text_bytes":406,"sha256":"c3ee7faacba234b60542511f601144c7a37f37ce4205ffdcb074dffb6dbd3ef5","external_id":"<1.abcdef@mail.example.com>","sent_at":"2026-01-05T09:00:01.023456Z","text":"Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. "}');
INSERT INTO hd_message VALUES (X'000000000000000000000000000A11CE', X'019B8D6282037BA0B3420C647367C5B2', 1, '{"ticket_id":"019b8d62-8203-7ba0-b342-0c647367c5b2","id":"019b8d62-8203-7eaa-9fa2-704008302ef8","seq":1,"kind":"public_reply","author":{"type":"contact","id":"019b8d62-8203-77e2-a0f8-7b395148e0d3"},"channel":"email","text_bytes":406,"sha256":"c3ee7faacba234b60542511f601144c7a37f37ce4205ffdcb074dffb6dbd3ef5","external_id":"<2.abcdef@mail.example.com>","sent_at":"2026-01-05T09:00:01.923456Z","text":"Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. "}');
INSERT INTO hd_message VALUES (X'000000000000000000000000000A11CE', X'019B8D6285877B869F31D7D2E92C16A3', 1, '{"ticket_id":"019b8d62-8587-7b86-9f31-d7d2e92c16a3","id":"019b8d62-8587-7800-9e43-685d0ac66898","seq":1,"kind":"public_reply","author":{"type":"contact","id":"019b8d62-8587-7a19-b9e6-d5b853518612"},"channel":"email","text_bytes":406,"sha256":"c3ee7faacba234b60542511f601144c7a37f37ce4205ffdcb074dffb6dbd3ef5","external_id":"<3.abcdef@mail.example.com>","sent_at":"2026-01-05T09:00:02.823456Z","text":"Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. Hello, we did not get the invoice for our last order yet. "}');
CREATE TABLE hd_event (
  position INTEGER PRIMARY KEY,
  tenant_id BLOB NOT NULL,
  stream_kind TEXT NOT NULL,
  stream_id BLOB NOT NULL,
  n INTEGER NOT NULL,
  doc TEXT NOT NULL
);
INSERT INTO hd_event VALUES (1, X'000000000000000000000000000A11CE', 'contact', X'019B8D627E7F7DBDB6D8845AF62884CA', 1, '{"at":"2026-01-05T09:00:01.023456Z","origin":{"kind":"system","cause":{"type":"command","id":"9e3779b9-7f4a-7c15-1234-56789abcdef1"}},"event":{"type":"contact_created","contact":{"id":"019b8d62-7e7f-7dbd-b6d8-845af62884ca","name":"Person 1","identities":[{"kind":"email","value":"person1@example.com"}],"language":"en"}}}');
INSERT INTO hd_event VALUES (2, X'000000000000000000000000000A11CE', 'case', X'019B8D627E7F7D3DB32350FD5712A2DB', 1, '{"at":"2026-01-05T09:00:01.023456Z","origin":{"kind":"system","cause":{"type":"command","id":"9e3779b9-7f4a-7c15-1234-56789abcdef1"}},"event":{"type":"opened","ticket":{"id":"019b8d62-7e7f-7d3d-b323-50fd5712a2db","number":"HD-1","subject":"Invoice 1 is missing from our account","requester":"019b8d62-7e7f-7dbd-b6d8-845af62884ca","channel":"email","channels":["email"],"mailbox":"support","language":"en","status":"open","category":"open","priority":"normal","queue":"billing","entered_queue_at":"2026-01-05T09:00:01.023456Z","group":"billing","assignee":"00000000-0000-0000-0000-0000000000a6","tier":"l1","tags":["invoice"],"newest_public_seq":1,"newest_public_bytes":400,"counters":{"messages":1,"attachments":0,"reopens":0,"reassignments":0,"agent_touches":0},"times":{"created_at":"2026-01-05T09:00:01.023456Z","updated_at":"2026-01-05T09:00:01.023456Z","assigned_at":"2026-01-05T09:00:01.023456Z","last_requester_at":"2026-01-05T09:00:01.023456Z"}}}}');
INSERT INTO hd_event VALUES (3, X'000000000000000000000000000A11CE', 'case', X'019B8D627E7F7D3DB32350FD5712A2DB', 2, '{"at":"2026-01-05T09:00:01.023456Z","origin":{"kind":"system","cause":{"type":"command","id":"9e3779b9-7f4a-7c15-1234-56789abcdef1"}},"event":{"type":"replied","message":{"id":"019b8d62-7e7f-7ee3-8227-8ba4c69ea29d","seq":1,"kind":"public_reply","author":{"type":"contact","id":"019b8d62-7e7f-7dbd-b6d8-845af62884ca"},"channel":"email","text_bytes":406,"sha256":"c3ee7faacba234b60542511f601144c7a37f37ce4205ffdcb074dffb6dbd3ef5","external_id":"<1.abcdef@mail.example.com>","sent_at":"2026-01-05T09:00:01.023456Z"}}}');
INSERT INTO hd_event VALUES (4, X'000000000000000000000000000A11CE', 'case', X'019B8D627E7F7D3DB32350FD5712A2DB', 3, '{"at":"2026-01-05T09:00:01.023456Z","origin":{"kind":"system","cause":{"type":"command","id":"9e3779b9-7f4a-7c15-1234-56789abcdef1"}},"event":{"type":"routed","queue":"billing","group":"billing","by":{"type":"rule","rule":"invoices","because":["invoice"]},"entered_queue_at":"2026-01-05T09:00:01.023456Z"}}');
INSERT INTO hd_event VALUES (5, X'000000000000000000000000000A11CE', 'case', X'019B8D627E7F7D3DB32350FD5712A2DB', 4, '{"at":"2026-01-05T09:00:01.023456Z","origin":{"kind":"system","cause":{"type":"command","id":"9e3779b9-7f4a-7c15-1234-56789abcdef1"}},"event":{"type":"assigned","agent":"00000000-0000-0000-0000-0000000000a6","how":"automatically","weight":1,"counts":true,"choice":{"stage":0,"by":"fewer_active","selector":"least_loaded","n_candidates":3}}}');
INSERT INTO hd_event VALUES (6, X'000000000000000000000000000A11CE', 'contact', X'019B8D62820377E2A0F87B395148E0D3', 1, '{"at":"2026-01-05T09:00:01.923456Z","origin":{"kind":"system","cause":{"type":"command","id":"3c6ef372-fe94-f82a-2468-acf13579bde2"}},"event":{"type":"contact_created","contact":{"id":"019b8d62-8203-77e2-a0f8-7b395148e0d3","name":"Person 2","identities":[{"kind":"email","value":"person2@example.com"}],"language":"en"}}}');
INSERT INTO hd_event VALUES (7, X'000000000000000000000000000A11CE', 'case', X'019B8D6282037BA0B3420C647367C5B2', 1, '{"at":"2026-01-05T09:00:01.923456Z","origin":{"kind":"system","cause":{"type":"command","id":"3c6ef372-fe94-f82a-2468-acf13579bde2"}},"event":{"type":"opened","ticket":{"id":"019b8d62-8203-7ba0-b342-0c647367c5b2","number":"HD-2","subject":"Invoice 2 is missing from our account","requester":"019b8d62-8203-77e2-a0f8-7b395148e0d3","channel":"email","channels":["email"],"mailbox":"support","language":"en","status":"open","category":"open","priority":"normal","queue":"billing","entered_queue_at":"2026-01-05T09:00:01.923456Z","group":"billing","assignee":"00000000-0000-0000-0000-0000000000a6","tier":"l1","tags":["invoice"],"newest_public_seq":1,"newest_public_bytes":400,"counters":{"messages":1,"attachments":0,"reopens":0,"reassignments":0,"agent_touches":0},"times":{"created_at":"2026-01-05T09:00:01.923456Z","updated_at":"2026-01-05T09:00:01.923456Z","assigned_at":"2026-01-05T09:00:01.923456Z","last_requester_at":"2026-01-05T09:00:01.923456Z"}}}}');
INSERT INTO hd_event VALUES (8, X'000000000000000000000000000A11CE', 'case', X'019B8D6282037BA0B3420C647367C5B2', 2, '{"at":"2026-01-05T09:00:01.923456Z","origin":{"kind":"system","cause":{"type":"command","id":"3c6ef372-fe94-f82a-2468-acf13579bde2"}},"event":{"type":"replied","message":{"id":"019b8d62-8203-7eaa-9fa2-704008302ef8","seq":1,"kind":"public_reply","author":{"type":"contact","id":"019b8d62-8203-77e2-a0f8-7b395148e0d3"},"channel":"email","text_bytes":406,"sha256":"c3ee7faacba234b60542511f601144c7a37f37ce4205ffdcb074dffb6dbd3ef5","external_id":"<2.abcdef@mail.example.com>","sent_at":"2026-01-05T09:00:01.923456Z"}}}');
INSERT INTO hd_event VALUES (9, X'000000000000000000000000000A11CE', 'case', X'019B8D6282037BA0B3420C647367C5B2', 3, '{"at":"2026-01-05T09:00:01.923456Z","origin":{"kind":"system","cause":{"type":"command","id":"3c6ef372-fe94-f82a-2468-acf13579bde2"}},"event":{"type":"routed","queue":"billing","group":"billing","by":{"type":"rule","rule":"invoices","because":["invoice"]},"entered_queue_at":"2026-01-05T09:00:01.923456Z"}}');
INSERT INTO hd_event VALUES (10, X'000000000000000000000000000A11CE', 'case', X'019B8D6282037BA0B3420C647367C5B2', 4, '{"at":"2026-01-05T09:00:01.923456Z","origin":{"kind":"system","cause":{"type":"command","id":"3c6ef372-fe94-f82a-2468-acf13579bde2"}},"event":{"type":"assigned","agent":"00000000-0000-0000-0000-0000000000a6","how":"automatically","weight":1,"counts":true,"choice":{"stage":0,"by":"fewer_active","selector":"least_loaded","n_candidates":3}}}');
INSERT INTO hd_event VALUES (11, X'000000000000000000000000000A11CE', 'contact', X'019B8D6285877A19B9E6D5B853518612', 1, '{"at":"2026-01-05T09:00:02.823456Z","origin":{"kind":"system","cause":{"type":"command","id":"daa66d2c-7ddf-743f-369d-0369d0369cd3"}},"event":{"type":"contact_created","contact":{"id":"019b8d62-8587-7a19-b9e6-d5b853518612","name":"Person 3","identities":[{"kind":"email","value":"person3@example.com"}],"language":"en"}}}');
INSERT INTO hd_event VALUES (12, X'000000000000000000000000000A11CE', 'case', X'019B8D6285877B869F31D7D2E92C16A3', 1, '{"at":"2026-01-05T09:00:02.823456Z","origin":{"kind":"system","cause":{"type":"command","id":"daa66d2c-7ddf-743f-369d-0369d0369cd3"}},"event":{"type":"opened","ticket":{"id":"019b8d62-8587-7b86-9f31-d7d2e92c16a3","number":"HD-3","subject":"Invoice 3 is missing from our account","requester":"019b8d62-8587-7a19-b9e6-d5b853518612","channel":"email","channels":["email"],"mailbox":"support","language":"en","status":"open","category":"open","priority":"normal","queue":"billing","entered_queue_at":"2026-01-05T09:00:02.823456Z","group":"billing","assignee":"00000000-0000-0000-0000-0000000000a6","tier":"l1","tags":["invoice"],"newest_public_seq":1,"newest_public_bytes":400,"counters":{"messages":1,"attachments":0,"reopens":0,"reassignments":0,"agent_touches":0},"times":{"created_at":"2026-01-05T09:00:02.823456Z","updated_at":"2026-01-05T09:00:02.823456Z","assigned_at":"2026-01-05T09:00:02.823456Z","last_requester_at":"2026-01-05T09:00:02.823456Z"}}}}');
INSERT INTO hd_event VALUES (13, X'000000000000000000000000000A11CE', 'case', X'019B8D6285877B869F31D7D2E92C16A3', 2, '{"at":"2026-01-05T09:00:02.823456Z","origin":{"kind":"system","cause":{"type":"command","id":"daa66d2c-7ddf-743f-369d-0369d0369cd3"}},"event":{"type":"replied","message":{"id":"019b8d62-8587-7800-9e43-685d0ac66898","seq":1,"kind":"public_reply","author":{"type":"contact","id":"019b8d62-8587-7a19-b9e6-d5b853518612"},"channel":"email","text_bytes":406,"sha256":"c3ee7faacba234b60542511f601144c7a37f37ce4205ffdcb074dffb6dbd3ef5","external_id":"<3.abcdef@mail.example.com>","sent_at":"2026-01-05T09:00:02.823456Z"}}}');
INSERT INTO hd_event VALUES (14, X'000000000000000000000000000A11CE', 'case', X'019B8D6285877B869F31D7D2E92C16A3', 3, '{"at":"2026-01-05T09:00:02.823456Z","origin":{"kind":"system","cause":{"type":"command","id":"daa66d2c-7ddf-743f-369d-0369d0369cd3"}},"event":{"type":"routed","queue":"billing","group":"billing","by":{"type":"rule","rule":"invoices","because":["invoice"]},"entered_queue_at":"2026-01-05T09:00:02.823456Z"}}');
INSERT INTO hd_event VALUES (15, X'000000000000000000000000000A11CE', 'case', X'019B8D6285877B869F31D7D2E92C16A3', 4, '{"at":"2026-01-05T09:00:02.823456Z","origin":{"kind":"system","cause":{"type":"command","id":"daa66d2c-7ddf-743f-369d-0369d0369cd3"}},"event":{"type":"assigned","agent":"00000000-0000-0000-0000-0000000000a6","how":"automatically","weight":1,"counts":true,"choice":{"stage":0,"by":"fewer_active","selector":"least_loaded","n_candidates":3}}}');
CREATE TABLE hd_entity (
  tenant_id BLOB NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL,
  version INTEGER NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant_id, kind, id)
);
INSERT INTO hd_entity VALUES (X'000000000000000000000000000A11CE', 'contact', X'019B8D627E7F7DBDB6D8845AF62884CA', 1, '{"id":"019b8d62-7e7f-7dbd-b6d8-845af62884ca","name":"Person 1","identities":[{"kind":"email","value":"person1@example.com"}],"language":"en"}');
INSERT INTO hd_entity VALUES (X'000000000000000000000000000A11CE', 'load', X'000000000000000000000000000000A6', 3, '{"agent":"00000000-0000-0000-0000-0000000000a6","channels":{"email":{"active":7,"reserved":0,"last_assigned_at":"2026-01-05T09:00:02.823456Z","n_taken":7}}}');
INSERT INTO hd_entity VALUES (X'000000000000000000000000000A11CE', 'contact', X'019B8D62820377E2A0F87B395148E0D3', 1, '{"id":"019b8d62-8203-77e2-a0f8-7b395148e0d3","name":"Person 2","identities":[{"kind":"email","value":"person2@example.com"}],"language":"en"}');
INSERT INTO hd_entity VALUES (X'000000000000000000000000000A11CE', 'contact', X'019B8D6285877A19B9E6D5B853518612', 1, '{"id":"019b8d62-8587-7a19-b9e6-d5b853518612","name":"Person 3","identities":[{"kind":"email","value":"person3@example.com"}],"language":"en"}');
CREATE TABLE hd_config (
  tenant_id BLOB NOT NULL,
  version INTEGER NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant_id, version)
);
CREATE TABLE hd_unique (
  tenant_id BLOB NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  stream_kind TEXT NOT NULL,
  stream_id BLOB NOT NULL,
  PRIMARY KEY (tenant_id, kind, key)
) WITHOUT ROWID;
INSERT INTO hd_unique VALUES (X'000000000000000000000000000A11CE', 'identity', 'email:person1@example.com', 'contact', X'019B8D627E7F7DBDB6D8845AF62884CA');
INSERT INTO hd_unique VALUES (X'000000000000000000000000000A11CE', 'identity', 'email:person2@example.com', 'contact', X'019B8D62820377E2A0F87B395148E0D3');
INSERT INTO hd_unique VALUES (X'000000000000000000000000000A11CE', 'identity', 'email:person3@example.com', 'contact', X'019B8D6285877A19B9E6D5B853518612');
INSERT INTO hd_unique VALUES (X'000000000000000000000000000A11CE', 'message', 'support/<1.abcdef@mail.example.com>', 'case', X'019B8D627E7F7D3DB32350FD5712A2DB');
INSERT INTO hd_unique VALUES (X'000000000000000000000000000A11CE', 'message', 'support/<2.abcdef@mail.example.com>', 'case', X'019B8D6282037BA0B3420C647367C5B2');
INSERT INTO hd_unique VALUES (X'000000000000000000000000000A11CE', 'message', 'support/<3.abcdef@mail.example.com>', 'case', X'019B8D6285877B869F31D7D2E92C16A3');
INSERT INTO hd_unique VALUES (X'000000000000000000000000000A11CE', 'number', 'HD-1', 'case', X'019B8D627E7F7D3DB32350FD5712A2DB');
INSERT INTO hd_unique VALUES (X'000000000000000000000000000A11CE', 'number', 'HD-2', 'case', X'019B8D6282037BA0B3420C647367C5B2');
INSERT INTO hd_unique VALUES (X'000000000000000000000000000A11CE', 'number', 'HD-3', 'case', X'019B8D6285877B869F31D7D2E92C16A3');
CREATE TABLE hd_idem (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  sha256 TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;
INSERT INTO hd_idem VALUES (X'000000000000000000000000000A11CE', X'3C6EF372FE94F82A2468ACF13579BDE2', '25af8dcacaa1d2a02c5b816b1b9b11170ac46366770f7173f5c61311653b8082', 1768208401923456, '{"id":"3c6ef372-fe94-f82a-2468-acf13579bde2","sha256":"25af8dcacaa1d2a02c5b816b1b9b11170ac46366770f7173f5c61311653b8082","result":{"number":"HD-2","ticket":"019b8d62-8203-7ba0-b342-0c647367c5b2"},"expires_at":"2026-01-12T09:00:01.923456Z"}');
INSERT INTO hd_idem VALUES (X'000000000000000000000000000A11CE', X'9E3779B97F4A7C15123456789ABCDEF1', '031dc88d0ec0c52d518bbc28b322da9334c69a177be1cfa7fd4d819024452f23', 1768208401023456, '{"id":"9e3779b9-7f4a-7c15-1234-56789abcdef1","sha256":"031dc88d0ec0c52d518bbc28b322da9334c69a177be1cfa7fd4d819024452f23","result":{"number":"HD-1","ticket":"019b8d62-7e7f-7d3d-b323-50fd5712a2db"},"expires_at":"2026-01-12T09:00:01.023456Z"}');
INSERT INTO hd_idem VALUES (X'000000000000000000000000000A11CE', X'DAA66D2C7DDF743F369D0369D0369CD3', '314c3c4bdd2886fb8dcb5d9e25db30fb6d1d77e873e97308f4faf51a76b7cd9b', 1768208402823456, '{"id":"daa66d2c-7ddf-743f-369d-0369d0369cd3","sha256":"314c3c4bdd2886fb8dcb5d9e25db30fb6d1d77e873e97308f4faf51a76b7cd9b","result":{"number":"HD-3","ticket":"019b8d62-8587-7b86-9f31-d7d2e92c16a3"},"expires_at":"2026-01-12T09:00:02.823456Z"}');
CREATE TABLE hd_timer (
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
INSERT INTO hd_timer VALUES (X'000000000000000000000000000A11CE', 'case', X'019B8D627E7F7D3DB32350FD5712A2DB', 'idle_unassign', 4, 1, 1767632401023456, 1767690060123456, 1, 1, 1);
INSERT INTO hd_timer VALUES (X'000000000000000000000000000A11CE', 'case', X'019B8D6282037BA0B3420C647367C5B2', 'idle_unassign', 4, 1, 1767632401923456, 1767632401923456, 0, 0, 0);
INSERT INTO hd_timer VALUES (X'000000000000000000000000000A11CE', 'case', X'019B8D6285877B869F31D7D2E92C16A3', 'idle_unassign', 4, 1, 1767632402823456, 1767632402823456, 0, 0, 0);
CREATE TABLE hd_outbox (
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
INSERT INTO hd_outbox VALUES (1, X'000000000000000000000000000A11CE', X'019B8D627E7F7170910C31A72BC79A69', X'019B8D627E7F7D3DB32350FD5712A2DB', 'agent', 1767603601023456, 1767690060123456, 1, 1, 1, '{"id":"019b8d62-7e7f-7170-910c-31a72bc79a69","effect":{"type":"notify_agent","ticket":"019b8d62-7e7f-7d3d-b323-50fd5712a2db","agent":"00000000-0000-0000-0000-0000000000a6","news":"assigned"},"ordering_key":"019b8d62-7e7f-7d3d-b323-50fd5712a2db","not_before":"2026-01-05T09:00:01.023456Z","created_at":"2026-01-05T09:00:01.023456Z"}');
INSERT INTO hd_outbox VALUES (2, X'000000000000000000000000000A11CE', X'019B8D627E7F79FB8E4C761384CAC494', X'019B8D627E7F7D3DB32350FD5712A2DB', 'group', 1767603601023456, NULL, 0, 0, 0, '{"id":"019b8d62-7e7f-79fb-8e4c-761384cac494","effect":{"type":"notify_group","ticket":"019b8d62-7e7f-7d3d-b323-50fd5712a2db","group":"billing"},"ordering_key":"019b8d62-7e7f-7d3d-b323-50fd5712a2db","not_before":"2026-01-05T09:00:01.023456Z","created_at":"2026-01-05T09:00:01.023456Z"}');
INSERT INTO hd_outbox VALUES (3, X'000000000000000000000000000A11CE', X'019B8D62820376F4AA08FAFE26DF1DF8', X'019B8D6282037BA0B3420C647367C5B2', 'agent', 1767603601923456, 1767603601923456, 0, 0, 0, '{"id":"019b8d62-8203-76f4-aa08-fafe26df1df8","effect":{"type":"notify_agent","ticket":"019b8d62-8203-7ba0-b342-0c647367c5b2","agent":"00000000-0000-0000-0000-0000000000a6","news":"assigned"},"ordering_key":"019b8d62-8203-7ba0-b342-0c647367c5b2","not_before":"2026-01-05T09:00:01.923456Z","created_at":"2026-01-05T09:00:01.923456Z"}');
INSERT INTO hd_outbox VALUES (4, X'000000000000000000000000000A11CE', X'019B8D6282037B8281472F8D1EBA1A8E', X'019B8D6282037BA0B3420C647367C5B2', 'group', 1767603601923456, NULL, 0, 0, 0, '{"id":"019b8d62-8203-7b82-8147-2f8d1eba1a8e","effect":{"type":"notify_group","ticket":"019b8d62-8203-7ba0-b342-0c647367c5b2","group":"billing"},"ordering_key":"019b8d62-8203-7ba0-b342-0c647367c5b2","not_before":"2026-01-05T09:00:01.923456Z","created_at":"2026-01-05T09:00:01.923456Z"}');
INSERT INTO hd_outbox VALUES (5, X'000000000000000000000000000A11CE', X'019B8D6285877DCF9B4B2D10B83FEBF9', X'019B8D6285877B869F31D7D2E92C16A3', 'agent', 1767603602823456, 1767603602823456, 0, 0, 0, '{"id":"019b8d62-8587-7dcf-9b4b-2d10b83febf9","effect":{"type":"notify_agent","ticket":"019b8d62-8587-7b86-9f31-d7d2e92c16a3","agent":"00000000-0000-0000-0000-0000000000a6","news":"assigned"},"ordering_key":"019b8d62-8587-7b86-9f31-d7d2e92c16a3","not_before":"2026-01-05T09:00:02.823456Z","created_at":"2026-01-05T09:00:02.823456Z"}');
INSERT INTO hd_outbox VALUES (6, X'000000000000000000000000000A11CE', X'019B8D6285877D0095B387CE6918A37D', X'019B8D6285877B869F31D7D2E92C16A3', 'group', 1767603602823456, NULL, 0, 0, 0, '{"id":"019b8d62-8587-7d00-95b3-87ce6918a37d","effect":{"type":"notify_group","ticket":"019b8d62-8587-7b86-9f31-d7d2e92c16a3","group":"billing"},"ordering_key":"019b8d62-8587-7b86-9f31-d7d2e92c16a3","not_before":"2026-01-05T09:00:02.823456Z","created_at":"2026-01-05T09:00:02.823456Z"}');
CREATE TABLE hd_dead (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  died_at INTEGER NOT NULL,
  n_claims INTEGER NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX hd_ticket_number ON hd_ticket (tenant_id, number);
CREATE INDEX hd_ticket_created ON hd_ticket (tenant_id, created_at);
CREATE INDEX hd_ticket_updated ON hd_ticket (tenant_id, updated_at);
CREATE INDEX hd_ticket_requester ON hd_ticket (tenant_id, requester_id, number);
CREATE INDEX hd_ticket_assignee ON hd_ticket (tenant_id, assignee_id, number) WHERE assignee_id IS NOT NULL;
CREATE INDEX hd_ticket_waiting ON hd_ticket (tenant_id, number) WHERE assignee_id IS NULL AND status_category <= 1;
CREATE INDEX hd_ticket_organization ON hd_ticket (tenant_id, organization_id, number) WHERE organization_id IS NOT NULL;
CREATE INDEX hd_ticket_copied ON hd_ticket (tenant_id, number) WHERE copied_ids IS NOT NULL;
CREATE UNIQUE INDEX hd_event_stream ON hd_event (tenant_id, stream_kind, stream_id, n);
CREATE INDEX hd_event_feed ON hd_event (tenant_id);
CREATE INDEX hd_event_roster ON hd_event (tenant_id) WHERE stream_kind IN ('agent', 'config', 'presence');
CREATE INDEX hd_timer_due ON hd_timer (due_at, rank, stream_id) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX hd_outbox_id ON hd_outbox (tenant_id, id);
CREATE INDEX hd_outbox_lane ON hd_outbox (tenant_id, ordering_key);
CREATE INDEX hd_outbox_due ON hd_outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX hd_dead_died ON hd_dead (tenant_id, died_at, id);
CREATE INDEX hd_ticket_due ON hd_ticket (tenant_id, due_at) WHERE due_at IS NOT NULL;
