-- To version 5: ranks of a node may bring parts of weights for each other, on a stream of their own.

INSERT INTO event_kind VALUES (8, 'weight_parts');
INSERT INTO stream VALUES (3, 'peers');

PRAGMA user_version = 5;
