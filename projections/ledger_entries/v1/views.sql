CREATE OR REPLACE VIEW read.ledger_entry AS SELECT * FROM read.ledger_entry_{build};

-- Always sums to zero.
CREATE OR REPLACE VIEW read.trial_balance AS
    SELECT book, sum(amount_nusd) AS balance_nusd, count(*) AS entries
      FROM read.ledger_entry_{build} GROUP BY book;
