using System.Text.Json;
using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Core.IO;
using Cake.Core.Tooling;

namespace Cake.LoRTA;

/// <summary>Starts <c>lorta</c>, and reads its result.</summary>
/// <remarks>The tool is a process of its own: ONNX Runtime and the libraries of <c>lorta</c> are never loaded into Cake.</remarks>
internal sealed class LortaTool : Tool<LortaSettings>
{
    private const string Name = "lorta";
    private const string FailureStart = "{\"error\":";
    private const string WarningStart = "Warning:";
    private const int LinesOfFailure = 5;

    private readonly ICakeLog _log;
    private readonly ToolManifest _manifest;
    private readonly List<string> _output = [];
    private readonly List<string> _error = [];
    private int? _refused;

    private LortaTool(ICakeContext context)
        : base(context.FileSystem, context.Environment, context.ProcessRunner, context.Tools)
    {
        _log = context.Log;
        _manifest = new ToolManifest(context.FileSystem, context.Environment);
    }

    /// <summary>Runs a verb.</summary>
    /// <typeparam name="T">The record of its JSON.</typeparam>
    /// <param name="context">The script's context.</param>
    /// <param name="settings">The verb's options.</param>
    /// <param name="arguments">The verb, its arguments, and the options that it needs.</param>
    /// <exception cref="CakeException">The verb failed, or its result is none that this version knows.</exception>
    public static T Run<T>(ICakeContext context, LortaSettings settings, IReadOnlyList<string> arguments)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(settings);
        return new LortaTool(context).Run<T>(settings, arguments);
    }

    /// <inheritdoc/>
    protected override string GetToolName() => Name;

    /// <inheritdoc/>
    protected override IEnumerable<string> GetToolExecutableNames() => [$"{Name}.exe", Name];

    /// <inheritdoc/>
    protected override IEnumerable<string> GetToolExecutableNames(LortaSettings settings) =>
        IsOfManifest(settings) ? ["dotnet.exe", "dotnet"] : GetToolExecutableNames();

    // The exception is thrown where the output is known.
    /// <inheritdoc/>
    protected override void ProcessExitCode(int exitCode)
    {
        if (exitCode != 0) _refused = exitCode;
    }

    private T Run<T>(LortaSettings settings, IReadOnlyList<string> arguments)
        where T : class
    {
        var all = new LortaArguments();
        if (IsOfManifest(settings)) foreach (var word in new[] { "tool", "run", Name, "--" }) all.Add(word);
        foreach (var argument in arguments) all.Add(argument);
        settings.AddTo(all);
        all.Flag("--json", isOn: true);
        var process = new ProcessSettings
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectedStandardOutputHandler = line => Keep(_output, line),
            RedirectedStandardErrorHandler = Follow,
        };
        Run(settings, all.Builder, process, postAction: null);
        if (_refused is { } exitCode) throw FailureOf(exitCode).ToException(arguments[0]);
        return Read<T>(arguments[0]);
    }

    private bool IsOfManifest(LortaSettings settings) =>
        settings.ToolPath is null && _manifest.Holds(Name, GetWorkingDirectory(settings));

    // Progress, on the thread that reads it.
    private string? Follow(string? line)
    {
        if (string.IsNullOrEmpty(line)) return null;
        Keep(_error, line);
        if (line.StartsWith(WarningStart, StringComparison.Ordinal)) _log.Warning("{0}", line);
        else if (!line.StartsWith(FailureStart, StringComparison.Ordinal)) _log.Information("{0}", line);
        return null;
    }

    private static string? Keep(List<string> lines, string? line)
    {
        if (line is not null) lock (lines) lines.Add(line);
        return null;
    }

    private T Read<T>(string verb)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(string.Join('\n', _output), LortaJson.Options)
                ?? throw new JsonException("The result is null.");
        }
        catch (JsonException e)
        {
            throw (_error.Exists(IsFailure) ? FailureOf(1) : NotUnderstood(e)).ToException(verb, e);
        }
    }

    private static bool IsFailure(string line) => line.StartsWith(FailureStart, StringComparison.Ordinal);

    private LortaFailure FailureOf(int exitCode)
    {
        if (_error.FindLast(IsFailure) is { } line && Parse(line) is { } failure) return failure;
        // of a process that ended before it could say more: dotnet itself, a system without memory
        var said = string.Join('\n', _error.TakeLast(LinesOfFailure));
        return new() { ExitCode = exitCode, Message = said.Length > 0 ? said : $"ended with exit code {exitCode}." };
    }

    private static LortaFailure? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, LortaFailure>>(line, LortaJson.Options)?["error"];
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static LortaFailure NotUnderstood(JsonException e) => new()
    {
        ExitCode = 1,
        Message = $"its result cannot be read ({e.Message.TrimEnd('.')}).",
        Hint = "Use a Cake.LoRTA and a LoRTA.Onnx.Tool of the same version.",
    };
}
