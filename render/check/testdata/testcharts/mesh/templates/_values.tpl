{{- define "mesh.values" -}}
{{- $defaults := deepCopy .Values._internal_defaults_do_not_set -}}
{{- mustMergeOverwrite $defaults (omit (.Values | toJson | fromJson) "_internal_defaults_do_not_set") | toJson -}}
{{- end -}}
