using System.Text;
using LoRTA.Onnx.Training.Data.Readers;

namespace LoRTA.Onnx.Training.Data;

/// <summary>Text with <c>{column}</c> holes.</summary>
internal static class RowTemplate
{
    /// <summary>Fills the holes of <paramref name="template"/> with the row's columns; <c>{{</c> and <c>}}</c> are braces.</summary>
    public static RowText Fill(string template, DataRow row)
    {
        var (text, hasNull) = (new StringBuilder(), false);
        for (var at = 0; at < template.Length; at++)
        {
            var letter = template[at];
            if (letter is not ('{' or '}'))
            {
                text.Append(letter);
            }
            else if (at + 1 < template.Length && template[at + 1] == letter)
            {
                text.Append(letter);
                at++;
            }
            else
            {
                var end = letter == '{' ? template.IndexOf('}', at) : -1;
                if (end < 0) throw DataErrors.BadTemplate(template, $"has a single '{letter}'");
                var column = template[(at + 1)..end];
                text.Append(row.Text(column).Value);
                hasNull |= row.Kind(column) == CellKind.Null;
                at = end;
            }
        }
        var filled = new RowText(text.ToString());
        return hasNull ? filled with { IsEmpty = true } : filled;
    }
}
