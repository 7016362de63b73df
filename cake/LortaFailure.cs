using Cake.Core;

namespace Cake.LoRTA;

/// <summary>What <c>lorta</c> says of a failure.</summary>
internal sealed record LortaFailure
{
    public required string Message { get; init; }

    public required int ExitCode { get; init; }

    public string? Code { get; init; }

    public string? Hint { get; init; }

    /// <summary>The exception of a verb that failed; a script that does not catch it ends with the exit code of <c>lorta</c>.</summary>
    public CakeException ToException(string verb, Exception? inner = null)
    {
        var code = Code is null ? string.Empty : $"error {Code}: ";
        var hint = Hint is null ? string.Empty : $"\nhint: {Hint}";
        return new CakeException(ExitCode, $"lorta {verb}: {code}{Message}{hint}", inner)
        {
            Data = { [nameof(Code)] = Code, [nameof(Hint)] = Hint },
        };
    }
}
