-- A row of the journal holds a run of entries, and its columns name the last.
UPDATE {p}event SET doc = json_object(
  'at', json_extract(doc, '$.at'),
  'origin', json(json_extract(doc, '$.origin')),
  'events', json_array(json(json_extract(doc, '$.event'))));
-- What columns say is not said again in the document.
UPDATE {p}idem SET doc = json_remove(doc, '$.id', '$.sha256');
