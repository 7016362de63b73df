using System.Diagnostics.CodeAnalysis;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>A table of a Markdown text.</summary>
[Experimental(Unsettled.Id)]
public static class MarkdownTable
{
    /// <summary>The lines of a table, with a line break after each; a cell without a value is a dash.</summary>
    /// <param name="header">The names of the columns.</param>
    /// <param name="rows">The cells, in the order of the columns.</param>
    public static string Of(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string?>> rows) =>
        string.Concat(rows.Prepend([.. header.Select(_ => "---")]).Prepend(header)
            .Select(row => $"| {string.Join(" | ", row.Select(cell => cell ?? "–"))} |\n"));
}
