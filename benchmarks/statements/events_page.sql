-- A page of a workspace's history, the oldest first: $1 the workspace, $2 how many.
SELECT e.id, e.kind, e.subject_id, e.created_at
FROM events e
WHERE e.workspace_id = $1
ORDER BY e.workspace_id, e.seq
LIMIT $2
