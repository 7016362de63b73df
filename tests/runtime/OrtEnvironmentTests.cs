using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime.Tests;

internal sealed class OrtEnvironmentTests
{
    [Test]
    public void Sessions_run_in_an_environment_that_writes_nothing_to_standard_error()
    {
        using var options = new OrtEngineOptions().ToSessionOptions();

        Assert.That(OrtEnv.Instance().EnvLogLevel, Is.EqualTo(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL));
    }
}
