package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// ciCronJob reads the file for Kubernetes as an API server with strict field validation
// does. It holds these three objects and no other, thus no Role.
func ciCronJob(t *testing.T, data []byte) batchv1.CronJob {
	t.Helper()
	var namespace corev1.Namespace
	var account corev1.ServiceAccount
	var job batchv1.CronJob
	objects := []struct {
		into any
		meta *metav1.TypeMeta
		want metav1.TypeMeta
	}{
		{&namespace, &namespace.TypeMeta, metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}},
		{&account, &account.TypeMeta, metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}},
		{&job, &job.TypeMeta, metav1.TypeMeta{APIVersion: "batch/v1", Kind: "CronJob"}},
	}
	documents := bytes.Split(data, []byte("\n---\n"))
	if len(documents) != len(objects) {
		t.Fatalf("%d objects, want %d", len(documents), len(objects))
	}
	for i, object := range objects {
		if err := yaml.UnmarshalStrict(documents[i], object.into); err != nil || *object.meta != object.want {
			t.Fatalf("object %d: %+v, %v", i, *object.meta, err)
		}
	}
	if namespace.Labels["pod-security.kubernetes.io/enforce"] != "restricted" || account.Namespace != namespace.Name || job.Namespace != namespace.Name {
		t.Errorf("namespaces: %+v, %+v, %+v", namespace.ObjectMeta, account.ObjectMeta, job.ObjectMeta)
	}
	if pod := job.Spec.JobTemplate.Spec.Template.Spec; pod.ServiceAccountName != account.Name || *account.AutomountServiceAccountToken || *pod.AutomountServiceAccountToken {
		t.Errorf("the pod runs as %q and has a token for Kubernetes", pod.ServiceAccountName)
	}
	return job
}

// TestCIKubernetes: one run at a time, which ends; Pod Security's restricted standard
// (https://kubernetes.io/docs/concepts/security/pod-security-standards/), with nothing
// writable but a temporary folder; secrets from Secrets alone.
func TestCIKubernetes(t *testing.T) {
	job := ciCronJob(t, ciFile(t, "kubernetes"))
	template := job.Spec.JobTemplate.Spec
	if job.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent || template.ActiveDeadlineSeconds == nil || template.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
		t.Errorf("%+v", job.Spec)
	}
	pod := template.Template.Spec
	if len(pod.Containers) != 1 || len(pod.InitContainers) != 0 || pod.HostNetwork || pod.HostPID || pod.HostIPC {
		t.Fatalf("%+v", pod)
	}
	container := pod.Containers[0]
	all, own := pod.SecurityContext, container.SecurityContext
	if !*all.RunAsNonRoot || *all.RunAsUser == 0 || all.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault ||
		*own.AllowPrivilegeEscalation || own.Privileged != nil || !slices.Equal(own.Capabilities.Drop, []corev1.Capability{"ALL"}) || own.Capabilities.Add != nil {
		t.Errorf("not restricted: %+v, %+v", all, own)
	}
	if !*own.ReadOnlyRootFilesystem || container.Resources.Requests.Memory().IsZero() || container.Resources.Limits.Memory().IsZero() {
		t.Errorf("%+v", container)
	}
	writable := ""
	for _, volume := range pod.Volumes {
		mount := container.VolumeMounts[slices.IndexFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume.Name })]
		if (volume.EmptyDir == nil) == (volume.Secret == nil) || (volume.EmptyDir == nil) != mount.ReadOnly {
			t.Errorf("volume %+v at %+v", volume, mount)
		}
		if volume.EmptyDir != nil {
			writable = mount.MountPath
		}
	}
	for _, variable := range container.Env {
		if variable.Name == "HOME" && variable.Value != writable || strings.Contains(variable.Name, "TOKEN") || strings.Contains(variable.Name, "KEY") {
			t.Errorf("variable %+v, want HOME in %q and no secrets", variable, writable)
		}
	}
	if len(container.EnvFrom) != 1 || container.EnvFrom[0].SecretRef == nil {
		t.Errorf("variables from %+v", container.EnvFrom)
	}
	if !strings.Contains(container.Image, ".invalid/") {
		t.Errorf("the image %s may be another's", container.Image)
	}
}

// TestCIKubernetesArguments: the environments and the target that init was given reach
// the program as they are.
func TestCIKubernetesArguments(t *testing.T) {
	for _, test := range []struct{ flags, want []string }{
		{nil, []string{"upgrade", "--all", "--repo", "https://git.company.invalid/platform/fleet.git", "--file", "environment.yaml"}},
		{[]string{"-f", "all of them/*.yaml", "--target", "argo"}, []string{"upgrade", "--all", "--repo", "https://git.company.invalid/platform/fleet.git", "--file", "all of them/*.yaml", "--target", "argo"}},
	} {
		got := execute(t, t.TempDir(), append([]string{"init", "--ci", "kubernetes", "--ci-file", "-"}, test.flags...)...)
		args := ciCronJob(t, []byte(got.stdout)).Spec.JobTemplate.Spec.Template.Spec.Containers[0].Args
		if !slices.Equal(args, test.want) {
			t.Error(cmp.Diff(test.want, args))
		}
	}
}
