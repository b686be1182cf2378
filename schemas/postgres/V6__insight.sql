-- What people ask: how fast a team's queue moves, and whose turns its strategy has given.
create index decision_of_team on decision (tenant, team, at);
