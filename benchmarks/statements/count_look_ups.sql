-- Accounts that an answer reports as held elsewhere, counted by the hour: $1 the key, $2 how many, $3 now,
-- $4 the end of an hour that begins now, $5 how many an hour has. No row: these would be more.
INSERT INTO attempts AS spent (key, count, window_ends_at) VALUES ($1, $2, $4)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN spent.window_ends_at <= $3 THEN 0 ELSE spent.count END + excluded.count,
  window_ends_at = CASE WHEN spent.window_ends_at <= $3
    THEN excluded.window_ends_at ELSE spent.window_ends_at END
WHERE spent.window_ends_at <= $3 OR spent.count + excluded.count <= $5
RETURNING count
