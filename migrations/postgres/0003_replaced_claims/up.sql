-- What else of ours a slot may carry while its write is only intended: a JSON array, [] once the write is answered.
ALTER TABLE ledger ADD COLUMN replaces TEXT NOT NULL DEFAULT '[]';
