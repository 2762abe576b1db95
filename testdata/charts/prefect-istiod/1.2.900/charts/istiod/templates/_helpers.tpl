{{- define "istiod.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: istio
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{/*
The values as a user means them: what he sets at the top, over what the chart
keeps under a name that he is not to set.
*/}}
{{- define "istiod.values" -}}
{{- $defaults := deepCopy .Values._internal_defaults_do_not_set -}}
{{- mustMergeOverwrite $defaults (omit (.Values | toJson | fromJson) "_internal_defaults_do_not_set") | toJson -}}
{{- end -}}

{{- define "istiod.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "istiod.revision" -}}
{{ (include "istiod.values" . | fromJson).revision | default "default" }}
{{- end -}}

{{/* A name, with the revision if there is one: (list . NAME). */}}
{{- define "istiod.revised" -}}
{{- $revision := (include "istiod.values" (index . 0) | fromJson).revision -}}
{{ index . 1 }}{{ with $revision }}-{{ . }}{{ end }}
{{- end -}}

{{- define "istiod.name" -}}
{{ include "istiod.revised" (list . "istiod") }}
{{- end -}}

{{/* hub/image:tag, or the image if it has a / itself: (list VALUES IMAGE). */}}
{{- define "istiod.image" -}}
{{- $v := index . 0 -}}
{{- $image := index . 1 -}}
{{- if contains "/" $image -}}
{{ $image }}
{{- else -}}
{{ $v.hub }}/{{ $image }}:{{ $v.tag }}
{{- end -}}
{{- end -}}
