CREATE OR REPLACE VIEW read.api_key AS
    SELECT k.*, old.secret_hash AS old_secret_hash, old.last4 AS old_last4
      FROM read.api_key_{build} k
      LEFT JOIN LATERAL (
           SELECT s.secret_hash, s.last4 FROM read.api_key_secret_{build} s
            WHERE s.key_id = k.key_id AND s.version < k.secret_version
            ORDER BY s.version DESC LIMIT 1) old ON k.old_until IS NOT NULL;

CREATE OR REPLACE VIEW read.api_key_secret AS SELECT * FROM read.api_key_secret_{build};

CREATE OR REPLACE VIEW read.api_key_day AS SELECT * FROM read.api_key_day_{build};

CREATE OR REPLACE VIEW read.account_standing AS SELECT * FROM read.account_standing_{build};
