{{- define "prefect-cloud.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: prefect-cloud
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- if .Values.oddities.tagInLabel }}
pm-gitops.fixture/server-tag: {{ .Values.global.backend.app.image.tag | quote }}
{{- end }}
{{- end -}}

{{/* The labels that a Deployment selects by: (list . NAME). */}}
{{- define "prefect-cloud.selector" -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end -}}

{{/* An image block as a reference. */}}
{{- define "prefect-cloud.image" -}}
{{ .repository }}{{ with .tag }}:{{ . }}{{ end }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "prefect-cloud.serverImage" -}}
{{ include "prefect-cloud.image" .Values.global.backend.app.image }}
{{- end -}}

{{- define "prefect-cloud.pullSecrets" -}}
{{- $names := list -}}
{{- range .Values.global.imagePullSecrets -}}
{{- $names = append $names (kindIs "map" . | ternary (get (kindIs "map" . | ternary . dict) "name") .) -}}
{{- end -}}
{{- with .Values.global.imagePullSecret -}}
{{- $names = append $names . -}}
{{- end -}}
{{- with $names | uniq }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The ServiceAccount of a service: (list . NAME). */}}
{{- define "prefect-cloud.serviceAccount" -}}
{{- $account := (index . 0).Values.serviceAccount -}}
{{- if not $account.create -}}
default
{{- else if $account.perService -}}
{{ index . 1 }}
{{- else -}}
prefect-cloud
{{- end -}}
{{- end -}}

{{/* The name of a Secret that the chart makes, or that exists: (list . SETTINGS NAME). */}}
{{- define "prefect-cloud.secret" -}}
{{- $name := index . 2 -}}
{{- if (index . 1).secretsInChart -}}
{{ $name }}
{{- else -}}
{{ get (index . 0).Values.existingSecrets $name | default $name }}
{{- end -}}
{{- end -}}

{{/* The key of a service in the Secrets with connection strings. */}}
{{- define "prefect-cloud.readerKey" -}}
{{ eq . "events" | ternary "events-api" . }}
{{- end -}}

{{/* What all services read: (list . SETTINGS NAME). */}}
{{- define "prefect-cloud.env" -}}
{{- $root := index . 0 -}}
{{- $s := index . 1 -}}
{{- $service := index . 2 -}}
envFrom:
- configMapRef:
    name: prefect-cloud
- secretRef:
    name: {{ include "prefect-cloud.secret" (list $root $s "redis-connection-strings") }}
{{- if and $root.Values.smtp.enabled (or $root.Values.smtp.password $s.smtpSecret) }}
- secretRef:
    name: {{ $s.smtpSecret | default "smtp" }}
{{- end }}
env:
- name: PREFECT_SERVICE
  value: {{ $service }}
{{- range $database, $readers := $s.readers }}
{{- if has $service $readers }}
{{- range $kind := list "user" "replica-user" }}
- name: {{ printf "%s_%s_CONNECTION" $database $kind | upper | replace "-" "_" }}
  valueFrom:
    secretKeyRef:
      name: {{ include "prefect-cloud.secret" (list $root $s (printf "%s-%s-connection-strings" $database $kind)) }}
      key: {{ include "prefect-cloud.readerKey" $service }}
{{- end }}
{{- end }}
{{- end }}
{{- if eq $service "auth" }}
{{- range $i, $provider := $s.providers }}
- name: {{ printf "AUTH_%s_CLIENT_SECRET" $provider | upper }}
  valueFrom:
    secretKeyRef:
      name: {{ include "prefect-cloud.secret" (list $root $s "auth-provider") }}
      key: {{ include "prefect-cloud.clientSecretKey" (list $i $provider) }}
{{- end }}
{{- if has "okta" $s.providers }}
- name: AUTH_OKTA_API_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "prefect-cloud.secret" (list $root $s "auth-provider") }}
      key: api-key
      optional: true
{{- end }}
{{- end }}
{{- with $s.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The key of a provider's client secret: (list POSITION NAME). */}}
{{- define "prefect-cloud.clientSecretKey" -}}
{{ eq (int (index . 0)) 0 | ternary "client-secret" (printf "%s-client-secret" (index . 1)) }}
{{- end -}}

{{/* The Service that an Ingress or a load balancer is pointed at. */}}
{{- define "prefect-cloud.entry" -}}
{{ eq .Values.serviceMesh.authorizationMode "policy" | ternary "prefect-istio-gateway" "prefect-auth-proxy" }}
{{- end -}}

{{- define "prefect-cloud.hasGateway" -}}
{{- if and .Values.istio.gateway.enabled (ne .Values.serviceMesh.authorizationMode "traefik") }}true{{ end -}}
{{- end -}}

{{/* A part of a URL as it may stand there: (list . TEXT). */}}
{{- define "prefect-cloud.urlPart" -}}
{{- if (index . 0).Values.urlquery -}}
{{ index . 1 | urlquery | replace "+" "%20" }}
{{- else -}}
{{ index . 1 }}
{{- end -}}
{{- end -}}
