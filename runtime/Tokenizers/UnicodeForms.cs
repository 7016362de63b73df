using System.Globalization;
using System.Text;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Canonical decomposition and composition, the same with and without ICU.</summary>
/// <remarks>Where globalization is invariant, as in this project's programs, <see cref="string.Normalize()"/> returns its input.</remarks>
internal static class UnicodeForms
{
    // Hangul syllables are composed by arithmetic (Unicode standard, section 3.12).
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7;
    private const int Leads = 19, Vowels = 21, Tails = 28;

    private static readonly Lazy<Tables> Data = new(Tables.Load);

    /// <summary>Normalization form D.</summary>
    public static string Decompose(string text) => IsSimple(text) ? text : Join(Decomposed(text));

    /// <summary>Normalization form C.</summary>
    public static string Compose(string text)
    {
        if (IsSimple(text)) return text;
        var points = Decomposed(text);
        var kept = 0;
        var starter = -1;
        var lastClass = 0;
        for (var i = 0; i < points.Count; i++)
        {
            var (point, order) = (points[i], Order(points[i]));
            var blocked = starter >= 0 && kept - 1 > starter && (lastClass == 0 || lastClass >= order);
            if (starter >= 0 && !blocked && Pair(points[starter], point) is { } composed)
            {
                points[starter] = composed;
                continue;
            }
            if (order == 0) starter = kept;
            lastClass = order;
            points[kept++] = point;
        }
        points.RemoveRange(kept, points.Count - kept);
        return Join(points);
    }

    private static bool IsSimple(string text) => !text.AsSpan().ContainsAnyExceptInRange('\0', '\u007f');

    private static List<int> Decomposed(string text)
    {
        var points = new List<int>(text.Length + 8);
        foreach (var rune in text.EnumerateRunes()) Decompose(rune.Value, points);
        SortMarks(points);
        return points;
    }

    // Canonical order: marks between starters sorted stably by their class.
    private static void SortMarks(List<int> points)
    {
        for (var start = 0; start < points.Count; start++)
        {
            var end = start;
            while (end < points.Count && Order(points[end]) > 0) end++;
            if (end - start < 2) continue;
            var sorted = points.GetRange(start, end - start).OrderBy(Order).ToList();
            for (var i = 0; i < sorted.Count; i++) points[start + i] = sorted[i];
            start = end;
        }
    }

    private static void Decompose(int point, List<int> points)
    {
        if (point - SyllableBase is >= 0 and < Leads * Vowels * Tails and var index)
        {
            points.Add(LeadBase + (index / (Vowels * Tails)));
            points.Add(VowelBase + (index / Tails % Vowels));
            if (index % Tails > 0) points.Add(TailBase + (index % Tails));
        }
        else if (Data.Value.Parts.TryGetValue(point, out var parts))
        {
            foreach (var part in parts) Decompose(part, points);
        }
        else
        {
            points.Add(point);
        }
    }

    private static int? Pair(int first, int second)
    {
        if (first - LeadBase is >= 0 and < Leads and var lead && second - VowelBase is >= 0 and < Vowels and var vowel)
            return SyllableBase + (((lead * Vowels) + vowel) * Tails);
        if (first - SyllableBase is >= 0 and < Leads * Vowels * Tails and var index
            && index % Tails == 0
            && second - TailBase is > 0 and < Tails and var tail)
            return first + tail;
        return Data.Value.Pairs.TryGetValue((first, second), out var composed) ? composed : null;
    }

    private static int Order(int point) => point < 0x300 ? 0 : Data.Value.Orders.GetValueOrDefault(point);

    private static string Join(List<int> points)
    {
        var text = new StringBuilder(points.Count);
        foreach (var point in points) text.Append(new Rune(point).ToString());
        return text.ToString();
    }

    private sealed record Tables(Dictionary<int, int[]> Parts, Dictionary<(int First, int Second), int> Pairs, Dictionary<int, byte> Orders)
    {
        public static Tables Load()
        {
            var tables = new Tables([], [], []);
            using var stream = typeof(UnicodeForms).Assembly.GetManifestResourceStream("CanonicalForms.txt")!;
            using var reader = new StreamReader(stream);
            while (reader.ReadLine() is { } line)
            {
                if (!line.StartsWith('#')) tables.Add(line.Split(' '));
            }
            return tables;
        }

        // "C3 = 41 30A", "340 != 300", "300-314 : 230"
        private void Add(string[] fields)
        {
            if (fields[1] == ":")
            {
                var ends = Array.ConvertAll(fields[0].Split('-'), Hex);
                for (var point = ends[0]; point <= ends[^1]; point++) Orders[point] = byte.Parse(fields[2], CultureInfo.InvariantCulture);
                return;
            }
            var parts = Array.ConvertAll(fields[2..], Hex);
            Parts[Hex(fields[0])] = parts;
            if (fields[1] == "=" && parts.Length == 2) Pairs[(parts[0], parts[1])] = Hex(fields[0]);
        }

        private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
