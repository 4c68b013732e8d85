ALTER TABLE ledger DROP COLUMN replaces;
