{{- define "cni.labels" -}}
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
{{- define "cni.values" -}}
{{- $defaults := deepCopy .Values._internal_defaults_do_not_set -}}
{{- mustMergeOverwrite $defaults (omit (.Values | toJson | fromJson) "_internal_defaults_do_not_set") | toJson -}}
{{- end -}}

{{- define "cni.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}
