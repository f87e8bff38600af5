CREATE OR REPLACE VIEW read.available_credit AS
    SELECT c.*, c.posted_nusd - c.held_nusd AS available_nusd FROM read.credit_account_{build} c;

CREATE OR REPLACE VIEW read.credit_lot AS
    SELECT l.*, h.held_nusd, l.granted_nusd - l.burnt_nusd - l.expired_nusd AS remaining_nusd
      FROM read.credit_lot_{build} l
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(o.amount_nusd), 0)::bigint AS held_nusd FROM read.open_hold_{build} o
            WHERE o.account_id = l.account_id AND o.lot_id = l.lot_id) h;

CREATE OR REPLACE VIEW read.open_hold AS SELECT * FROM read.open_hold_{build};
