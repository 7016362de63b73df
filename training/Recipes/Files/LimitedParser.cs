using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>Hands on the events of a parser as long as the tree that they make stays small: a few bytes with aliases, or with brackets
/// only, could otherwise fill the memory or the stack.</summary>
/// <param name="parser">The parser.</param>
internal sealed class LimitedParser(IParser parser) : IParser
{
    /// <summary>Nodes, those that aliases repeat included.</summary>
    private const int MostNodes = 10_000;

    private const int MostDepth = 32;

    private readonly Dictionary<string, int> _sizes = new(StringComparer.Ordinal);
    private readonly Stack<(string? Anchor, int NodesBefore)> _open = [];
    private int _nodes;

    public ParsingEvent? Current => parser.Current;

    public bool MoveNext()
    {
        if (!parser.MoveNext()) return false;
        switch (Current)
        {
            case MappingStart or SequenceStart:
                if (_open.Count == MostDepth) throw Refuse($"the text is nested more than {MostDepth} deep");
                var start = (NodeEvent)Current;
                _open.Push((start.Anchor.IsEmpty ? null : start.Anchor.Value, _nodes));
                Count(1);
                break;
            case MappingEnd or SequenceEnd:
                var (anchor, before) = _open.Pop();
                if (anchor is not null) _sizes[anchor] = _nodes - before;
                break;
            case Scalar scalar:
                if (!scalar.Anchor.IsEmpty) _sizes[scalar.Anchor.Value] = 1;
                Count(1);
                break;
            case AnchorAlias alias:
                if (_open.Any(node => node.Anchor == alias.Value.Value))
                    throw Refuse($"the alias *{alias.Value} is inside what it names");
                if (!_sizes.TryGetValue(alias.Value.Value, out var size)) throw Refuse($"the alias *{alias.Value} names nothing before it");
                Count(size);
                break;
        }
        return true;
    }

    private void Count(int nodes)
    {
        _nodes += nodes;
        if (_nodes > MostNodes) throw Refuse($"the text holds more than {MostNodes} values, those that aliases repeat included");
    }

    private YamlException Refuse(FormattableString what) => new(Current!.Start, Current.End, what.ToString(CultureInfo.InvariantCulture));
}
