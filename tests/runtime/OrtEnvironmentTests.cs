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

    [TestCase("1.19.2", "1.19.2")]
    [TestCase("1.20.0-dev+abc", "1.20.0")]
    public void Release_is_what_stands_before_further_letters(string text, string release) =>
        Assert.That(OrtEnvironment.VersionOf(text), Is.EqualTo(Version.Parse(release)));
}
