-- name: halt
-- The first reason stays: what follows may follow from it.
INSERT INTO ledger.halt (kind) VALUES (%b::text) ON CONFLICT (singleton) DO NOTHING;

-- name: halted
SELECT kind, halted_at FROM ledger.halt;

-- name: lift
DELETE FROM ledger.halt;
