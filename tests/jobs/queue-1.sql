-- A queue of version 1, as gst-tomo of that time has made it.
BEGIN TRANSACTION;
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL,
    priority INTEGER NOT NULL, state TEXT NOT NULL, description TEXT NOT NULL, folder TEXT NOT NULL, devices TEXT, memory INTEGER,
    session TEXT, attempt INTEGER NOT NULL DEFAULT 0, submitted REAL NOT NULL, started REAL, began REAL, ended REAL,
    assigned TEXT NOT NULL DEFAULT '[]', held INTEGER NOT NULL DEFAULT 0, worker INTEGER, status TEXT, error TEXT, exit INTEGER,
    stage TEXT, done INTEGER, total INTEGER, unit TEXT, rate REAL, seconds_left REAL, results TEXT NOT NULL DEFAULT '[]',
    outputs TEXT NOT NULL DEFAULT '[]', bytes INTEGER NOT NULL DEFAULT 0, provenance TEXT NOT NULL DEFAULT '{}', repeats INTEGER,
    is_cancelled INTEGER NOT NULL DEFAULT 0);
INSERT INTO "jobs" VALUES(1,'reconstruction','the vial','anna',0,'done','{"scan": "scan.nxs", "output": "slices.h5"}','/data',NULL,NULL,NULL,1,1.79602200247223305704e+09,1.79602200247381710998e+09,5.0,1.79602200247394371036e+09,'["0"]',5,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]','["slices.h5:/entry/data/data"]',7,'{}',NULL,0);
INSERT INTO "jobs" VALUES(2,'dataflow','a flow','ben',3,'queued','{"nodes": [], "edges": []}','/data','["0"]',NULL,'s',0,1.79602200247424840934e+09,NULL,NULL,NULL,'[]',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]','[]',0,'{}',NULL,0);
INSERT INTO "jobs" VALUES(3,'reconstruction','','ben',0,'cancelled','{"scan": "other.nxs"}','/data',NULL,NULL,NULL,0,1.79602200250846838949e+09,NULL,NULL,1.7960220025108716488e+09,'[]',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]','[]',0,'{}',NULL,0);
CREATE TABLE requests (id INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER NOT NULL, command TEXT NOT NULL);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT);
INSERT INTO "settings" VALUES('jobs_per_owner','7');
CREATE TABLE workers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER, ticks INTEGER, boot TEXT, program TEXT NOT NULL, session TEXT,
    devices TEXT NOT NULL);
INSERT INTO "workers" VALUES(1,NULL,NULL,NULL,'tomo-reconstruct',NULL,'["0"]');
CREATE INDEX jobs_by_state ON jobs (state, priority DESC, id);
CREATE INDEX jobs_by_owner ON jobs (owner, state);
CREATE INDEX jobs_by_session ON jobs (state, session, priority DESC, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',3);
INSERT INTO "sqlite_sequence" VALUES('workers',1);
COMMIT;
PRAGMA user_version = 1;
