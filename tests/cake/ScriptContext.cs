using Cake.Core;
using Cake.Core.Configuration;
using Cake.Core.Diagnostics;
using Cake.Core.IO;
using Cake.Core.Tooling;

namespace Cake.LoRTA.Tests;

/// <summary>The context of a script in a folder: Cake's own parts, but a log and an environment of the test's own.</summary>
internal sealed class ScriptContext : ICakeContext, ICakeLog, ICakeEnvironment
{
    private readonly Dictionary<string, string> _variables = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
        .ToDictionary(pair => (string)pair.Key, pair => (string)pair.Value!, StringComparer.Ordinal);

    /// <summary>Creates the context.</summary>
    /// <param name="folder">The working directory.</param>
    /// <param name="runner">Starts processes; null = Cake's.</param>
    public ScriptContext(string folder, IProcessRunner? runner = null)
    {
        WorkingDirectory = folder;
        var configuration = new CakeConfiguration(new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase));
        Globber = new Globber(FileSystem, this);
        Tools = new ToolLocator(this, new ToolRepository(this), new ToolResolutionStrategy(FileSystem, this, Globber, configuration, this));
        Configuration = configuration;
        ProcessRunner = runner ?? new ProcessRunner(FileSystem, this, this, Tools, configuration);
    }

    /// <summary>What was logged, with its level.</summary>
    public List<(LogLevel Level, string Text)> Lines { get; } = [];

    public IFileSystem FileSystem { get; } = new FileSystem();

    ICakeEnvironment ICakeContext.Environment => this;

    public IGlobber Globber { get; }

    public ICakeLog Log => this;

    public IProcessRunner ProcessRunner { get; }

    public IToolLocator Tools { get; }

    public ICakeConfiguration Configuration { get; }

    public ICakeArguments Arguments => throw new NotSupportedException();

    public IRegistry Registry => throw new NotSupportedException();

    public ICakeDataResolver Data => throw new NotSupportedException();

    public IToolInstaller ToolInstaller => throw new NotSupportedException();

    public IServiceProvider ServiceProvider => throw new NotSupportedException();

    public Verbosity Verbosity { get; set; } = Verbosity.Normal;

    public DirectoryPath WorkingDirectory { get; set; }

    public DirectoryPath ApplicationRoot => WorkingDirectory;

    public ICakePlatform Platform { get; } = new CakePlatform();

    public ICakeRuntime Runtime { get; } = new CakeRuntime();

    public void Write(Verbosity verbosity, LogLevel level, string format, params object[] args)
    {
        lock (Lines) Lines.Add((level, string.Format(System.Globalization.CultureInfo.InvariantCulture, format, args)));
    }

    public DirectoryPath GetSpecialPath(SpecialPath path) => throw new NotSupportedException();

    public string? GetEnvironmentVariable(string variable) => _variables.GetValueOrDefault(variable);

    public IDictionary<string, string> GetEnvironmentVariables() => _variables;

    /// <summary>Puts a folder in place of the PATH.</summary>
    public void SetPath(string folder) => _variables["PATH"] = folder;

    public string ExpandEnvironmentVariables(string text) => text;
}
