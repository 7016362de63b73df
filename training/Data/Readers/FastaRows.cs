namespace LoRTA.Onnx.Training.Data.Readers;

/// <summary>FASTA: <c>&gt;id description</c>, then lines of sequence.</summary>
/// <remarks>Columns are id, description, sequence and one for each <c>KEY=value</c> of the description.</remarks>
internal static class FastaRows
{
    public static IEnumerable<DataRow> Parse(string path, string text)
    {
        var (lines, at) = (text.Split('\n'), 0);
        while (at < lines.Length)
        {
            var start = at;
            if (lines[at++].Trim() is not { Length: > 0 } header) continue;
            if (header[0] != '>') throw DataErrors.BadLine(path, start + 1, "an entry starts with '>'");
            var sequence = new List<string>();
            while (at < lines.Length && !lines[at].StartsWith('>')) sequence.Add(lines[at++].Trim());
            yield return new DataRow(path, start + 1, ReadCells(path, start + 1, header[1..], string.Concat(sequence)));
        }
    }

    private static OrderedDictionary<string, string> ReadCells(string path, int line, string header, string sequence)
    {
        if (sequence.Length == 0) throw DataErrors.BadLine(path, line, "the entry has no sequence");
        var words = header.Split(' ', 2, StringSplitOptions.TrimEntries);
        var description = words.Length > 1 ? words[1] : string.Empty;
        var cells = new OrderedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["id"] = words[0],
            ["description"] = description,
            ["sequence"] = sequence,
        };
        foreach (var pair in description.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Split('=', 2)))
        {
            if (pair is [{ Length: > 0 } key, var value]) cells.TryAdd(key, value);
        }
        return cells;
    }
}
