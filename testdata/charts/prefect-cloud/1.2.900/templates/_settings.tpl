{{/*
What differs between the lines of the chart, in one place: the templates read
these names, and a line says here which of its values they are.
*/}}
{{- define "prefect-cloud.settings" -}}
{{- $v := .Values -}}
{{- $tls := list -}}
{{- if $v.ingress.tls.enabled -}}
{{- $tls = list $v.ingress.tls.secretName -}}
{{- end -}}
{{- dict
  "frontendUrl" $v.global.frontendUrl
  "backendUrl" $v.global.backendUrl
  "instanceName" $v.global.instanceName
  "providers" (list $v.global.authProvider.type)
  "secretsInChart" $v.createAppSecretsInChart
  "databaseEmbedded" $v.db.use_embedded
  "databaseUser" $v.db.serviceuser
  "databaseAdmin" $v.db.superuser
  "redisEmbedded" $v.redis.use_embedded
  "redisRoles" (list "cache" "work" "streams")
  "ui" $v.ui.cloud2
  "ingressTLS" $tls
  "smtpSecret" $v.smtp.existingSecret
  "applyResources" false
  "selectComponent" list
  "env" list
  "readers" (dict
    "nebula" (list "auth" "server" "server-background")
    "orion" (list "server" "server-background" "scheduler" "actions" "triggers-proactive")
    "events" (list "events" "ladler" "logs"))
  "migrations" (list (dict "name" "prefect-db-migrations" "databases" (list "nebula" "orion" "events")))
  "migrationsNeedRedis" false
| toJson -}}
{{- end -}}
