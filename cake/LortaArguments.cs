using System.Globalization;
using System.Text;
using Cake.Core;
using Cake.Core.IO;

namespace Cake.LoRTA;

/// <summary>The arguments of one command line, quoted so that they arrive as they were given.</summary>
internal sealed class LortaArguments
{
    /// <summary>The arguments as Cake starts processes with them.</summary>
    public ProcessArgumentBuilder Builder { get; } = new();

    /// <summary>Adds one argument.</summary>
    public void Add(string argument)
    {
        ArgumentNullException.ThrowIfNull(argument);
        Builder.Append(Quoted(argument));
    }

    /// <summary>Adds an option that was given.</summary>
    public void Value(string name, string? value)
    {
        if (value is null) return;
        Add(name);
        Add(value);
    }

    /// <summary>Adds an option that was given; numbers are written the same everywhere.</summary>
    public void Number<T>(string name, T? value)
        where T : struct, IFormattable => Value(name, value?.ToString(null, CultureInfo.InvariantCulture));

    /// <summary>Adds a switch that is on.</summary>
    public void Flag(string name, bool isOn)
    {
        if (isOn) Add(name);
    }

    /// <summary>Adds words as one value, separated by commas.</summary>
    public void Words(string name, ICollection<string> words)
    {
        if (words.Count > 0) Value(name, string.Join(',', words));
    }

    /// <summary>Adds an option as often as there are pairs.</summary>
    public void Pairs(string name, IDictionary<string, string> pairs)
    {
        foreach (var (key, value) in pairs) Value(name, $"{key}={value}");
    }

    // Cake's own quotes leave quotes and backslashes inside as they are, and what follows them would be cut or merged. Backslashes count
    // only in front of a quote.
    private static string Quoted(string argument)
    {
        if (argument.Length > 0 && argument.All(letter => letter != '"' && !char.IsWhiteSpace(letter))) return argument;
        var quoted = new StringBuilder("\"");
        var backslashes = 0;
        foreach (var letter in argument)
        {
            if (letter == '"') quoted.Append('\\', backslashes + 1);
            backslashes = letter == '\\' ? backslashes + 1 : 0;
            quoted.Append(letter);
        }
        return quoted.Append('\\', backslashes).Append('"').ToString();
    }
}
