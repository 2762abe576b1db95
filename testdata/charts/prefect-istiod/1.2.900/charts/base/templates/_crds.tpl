{{/* The definitions, and the versions of each. The last version is stored. */}}
{{- define "base.crds" -}}
- {group: networking.istio.io, kind: Gateway, singular: gateway, plural: gateways, versions: [v1, v1beta1]}
- {group: networking.istio.io, kind: VirtualService, singular: virtualservice, plural: virtualservices, versions: [v1, v1beta1]}
- {group: networking.istio.io, kind: DestinationRule, singular: destinationrule, plural: destinationrules, versions: [v1, v1beta1]}
- {group: security.istio.io, kind: AuthorizationPolicy, singular: authorizationpolicy, plural: authorizationpolicies, versions: [v1, v1beta1]}
{{- end -}}
