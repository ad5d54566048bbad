-- Data quality of clinics.

-- name: add_days
INSERT INTO clinic_days AS d (clinic, day, given, in_time, transcribed, filled, fillable, remarked)
SELECT * FROM unnest(%(clinics)s::uuid[], %(days)s::date[], %(given)s::integer[],
                     %(in_time)s::integer[], %(transcribed)s::integer[], %(filled)s::integer[],
                     %(fillable)s::integer[], %(remarked)s::integer[])
ON CONFLICT (clinic, day) DO UPDATE
SET given = d.given + excluded.given, in_time = d.in_time + excluded.in_time,
    transcribed = d.transcribed + excluded.transcribed, filled = d.filled + excluded.filled,
    fillable = d.fillable + excluded.fillable, remarked = d.remarked + excluded.remarked

-- name: add_remarks
INSERT INTO clinic_remarks AS r (clinic, day, remark, doses)
SELECT * FROM unnest(%(clinics)s::uuid[], %(days)s::date[], %(remarks)s::text[],
                     %(doses)s::integer[])
ON CONFLICT (clinic, day, remark) DO UPDATE SET doses = r.doses + excluded.doses

-- name: scores
SELECT o.organisation AS clinic, o.name, o.division,
       coalesce(sum(d.given), 0)::integer AS given,
       coalesce(sum(d.in_time), 0)::integer AS in_time,
       coalesce(sum(d.transcribed), 0)::integer AS transcribed,
       coalesce(sum(d.filled), 0)::integer AS filled,
       coalesce(sum(d.fillable), 0)::integer AS fillable,
       coalesce(sum(d.remarked), 0)::integer AS remarked
FROM views.organisations o
LEFT JOIN views.clinic_days d
    ON d.clinic = o.organisation AND d.day BETWEEN %(since)s AND %(until)s
WHERE o.kind = 'clinic' AND starts_with(o.division, %(division)s)
  AND (%(clinic)s::uuid IS NULL OR o.organisation = %(clinic)s)
  AND o.registered_position <= %(at)s
GROUP BY o.organisation, o.name, o.division ORDER BY o.division, o.organisation

-- name: remarks
SELECT clinic, remark, sum(doses)::integer FROM views.clinic_remarks
WHERE clinic = ANY(%(clinics)s::uuid[]) AND day BETWEEN %(since)s AND %(until)s
GROUP BY clinic, remark ORDER BY clinic, remark
