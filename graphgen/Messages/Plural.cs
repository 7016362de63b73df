using System.Globalization;

namespace LoRTA.Onnx.GraphGen.Messages;

/// <summary>Numbers of things in sentences.</summary>
internal static class Plural
{
    /// <summary>A number of things, in the singular where it is one: <c>1 row</c>, <c>2,000 rows</c>.</summary>
    /// <param name="count">The number.</param>
    /// <param name="one">The thing.</param>
    /// <param name="more">The things.</param>
    public static string Of(long count, string one, string more) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : more)}");
}
