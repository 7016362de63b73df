using Cake.Core.IO;

namespace Cake.LoRTA.Tests;

/// <summary>Starts nothing: keeps what would have been started, and answers for it.</summary>
internal sealed class RecordingRunner(string output = "", string error = "", int exitCode = 0) : IProcessRunner
{
    /// <summary>The program.</summary>
    public string? Program { get; private set; }

    /// <summary>Its arguments in one line.</summary>
    public string Arguments { get; private set; } = string.Empty;

    public IProcess Start(FilePath filePath, ProcessSettings settings)
    {
        (Program, Arguments) = (filePath.FullPath, settings.Arguments.Render());
        foreach (var line in error.Split('\n')) settings.RedirectedStandardErrorHandler!(line);
        foreach (var line in output.Split('\n')) settings.RedirectedStandardOutputHandler!(line);
        return new Ended(exitCode);
    }

    private sealed class Ended(int exitCode) : IProcess
    {
        public void WaitForExit()
        {
        }

        public bool WaitForExit(int milliseconds) => true;

        public int GetExitCode() => exitCode;

        public IEnumerable<string> GetStandardError() => [];

        public IEnumerable<string> GetStandardOutput() => [];

        public void Kill()
        {
        }

        public void Dispose()
        {
        }
    }
}
