-- What still stands in Teams ends there by itself.
DELETE FROM ledger WHERE slot = 'status_message';
DELETE FROM timeline WHERE item LIKE '%"side":"teams_note"%' OR item LIKE '%"where":"pbx_note"%';
