-- A page of a workspace: $1 the viewer, $2 how many, $3 the workspace, $4 whether they are its admin.
SELECT s.hold_id, s.external_id, s.display_name, s.nickname, s.profile_picture_url, s.created_at,
  f.id AS facebook_account_id, f.facebook_user_id,
  (SELECT json_agg(json_build_array(t.id, t.name) ORDER BY t.name, t.id)
   FROM shares h JOIN teams t ON t.id = h.team_id
   WHERE h.social_account_id = s.id) AS teams
FROM social_accounts s
LEFT JOIN facebook_accounts f ON f.id = s.facebook_account_id AND f.user_id = $1
WHERE s.platform IN ('INSTAGRAM', 'FACEBOOK_PAGE') AND s.holder_workspace_id = $3
  AND ($4 OR s.id IN (
    SELECT h.social_account_id FROM shares h JOIN team_members p ON p.team_id = h.team_id WHERE p.user_id = $1))
ORDER BY s.holder_workspace_id, s.created_at, s.hold_id
LIMIT $2
