{{- define "m365-connector.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "m365-connector.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "m365-connector.labels" -}}
{{ include "m365-connector.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "m365-connector.secret" -}}
{{- .Values.existingSecret | default (include "m365-connector.fullname" .) -}}
{{- end -}}

{{- /* What no cluster should be asked to run. */ -}}
{{- define "m365-connector.refusals" -}}
{{- if not .Values.config -}}
{{- fail "config is empty: give the connector's configuration with --set-file config=connector.toml" -}}
{{- end -}}
{{- if and (not .Values.existingSecret) (not .Values.secrets) -}}
{{- fail "no secrets: name a Secret with --set existingSecret=NAME; values.yaml lists its keys" -}}
{{- end -}}
{{- if and .Values.existingSecret .Values.secrets -}}
{{- fail "existingSecret and secrets are both given: choose one of them" -}}
{{- end -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.postgresql.url) -}}
{{- fail "replicas is more than 1 without postgresql.url: an SQLite file is used by one instance only" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.enabled without ingress.host: set the host of public.url" -}}
{{- end -}}
{{- if and .Values.prometheusRule.enabled (not .Values.serviceMonitor.enabled) -}}
{{- fail "prometheusRule.enabled without serviceMonitor.enabled: the rules would have nothing to watch" -}}
{{- end -}}
{{- end -}}
