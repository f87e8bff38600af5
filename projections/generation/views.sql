CREATE OR REPLACE VIEW read.generation_attempt AS SELECT * FROM read.generation_attempt_{build};

CREATE OR REPLACE VIEW read.generation AS
    SELECT r.reservation_id, r.account_id, r.key_id, coalesce(e.status, 'reserved') AS status,
           r.position AS reserve_position, e.position AS end_position, r.at AS reserved_at, e.at AS ended_at,
           r.requested_model, coalesce(nullif(e.model, ''), r.model) AS model,
           coalesce(nullif(e.provider, ''), r.provider) AS provider, r.app, r.replaces,
           coalesce(e.streamed, r.streamed) OR r.streamed AS streamed,
           r.granted_tokens, r.requested_tokens, r.deadline_at, r.expires_at, r.holds,
           coalesce(e.reserved_nusd, r.amount_nusd + x.added_nusd) AS reserved_nusd,
           coalesce(e.cost_nusd, 0) AS cost_nusd, coalesce(e.shortfall_nusd, 0) AS shortfall_nusd,
           coalesce(e.charge_nusd, 0) AS charge_nusd, coalesce(e.provider_cost_nusd, 0) AS provider_cost_nusd,
           coalesce(nullif(e.price_version, ''), r.price_version) AS price_version, coalesce(e.rounding, '') AS rounding,
           e.burnt, e.charge_lines, e.usage, coalesce(e.reason, '') AS reason,
           coalesce(e.provider_generation_id, '') AS provider_generation_id,
           coalesce(e.finish_reason, '') AS finish_reason, coalesce(e.error_class, '') AS error_class,
           coalesce(e.ttft_ms, 0) AS ttft_ms, coalesce(e.total_ms, 0) AS total_ms,
           coalesce(e.estimated, false) AS estimated, coalesce(e.quarantined, false) AS quarantined,
           coalesce(e.cancelled, false) AS cancelled
      FROM read.generation_reserve_{build} r
      LEFT JOIN read.generation_end_{build} e ON e.reservation_id = r.reservation_id AND e.account_id = r.account_id
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(g.added_nusd), 0)::bigint AS added_nusd FROM read.generation_extension_{build} g
            WHERE g.reservation_id = r.reservation_id AND g.account_id = r.account_id) x;
