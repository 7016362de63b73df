namespace LoRTA.Onnx.GraphGen;

/// <summary>The one exception of this project: something a user gave (a file, a node, an option) cannot be used as it is.</summary>
/// <remarks>Made by the factories of each area (<c>ModelErrors</c>, <c>RecipeErrors</c>, …). <see cref="Exception.Message"/> says what and
/// where,
/// <see cref="Hint"/> what to do; <see cref="Code"/> is stable and listed in <c>docs/errors.md</c>.</remarks>
public sealed class LortaException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="code">Stable code, for instance <c>LRT104</c>.</param>
    /// <param name="message">One sentence: what is wrong and where (file, node, option; expected and found).</param>
    /// <param name="hint">One sentence: what to do about it.</param>
    /// <param name="inner">The foreign exception that this one stands for, if any.</param>
    public LortaException(string code, string message, string hint, Exception? inner = null)
        : base(message, inner)
    {
        Code = code;
        Hint = hint;
    }

    /// <summary>Stable code, for instance <c>LRT104</c>.</summary>
    public string Code { get; }

    /// <summary>What to do about it, in one sentence.</summary>
    public string Hint { get; }

    /// <summary>Whether the caller used the tool wrongly (exit code 2) rather than gave it bad data (exit code 1).</summary>
    public bool IsUsage { get; init; }

    /// <summary>The line of a file of the user's that it is about, the first of several; null where it is about none.</summary>
    public FileLine? Origin { get; init; }
}

/// <summary>A line of a text file.</summary>
/// <param name="File">The file, as the message names it.</param>
/// <param name="Line">The line, from 1 on.</param>
public sealed record FileLine(string File, int Line);

/// <summary>Messages of foreign exceptions inside our sentences.</summary>
internal static class ForeignMessages
{
    /// <summary>The first line, without the stop at its end.</summary>
    public static string FirstLine(this Exception foreign) => foreign.Message.Split('\n')[0].TrimEnd('.', ' ', '\r');
}
