namespace LoRTA.Onnx.Cli.Display;

/// <summary>Shows a text that is the result itself, at once or as it is generated.</summary>
/// <param name="output">Takes it.</param>
internal sealed class TextDisplay(TextWriter output) : IProgress<string>
{
    private readonly Lock _turn = new();   // a signal ends the line from another thread
    private bool _isOpen;

    public void Report(string value)
    {
        lock (_turn)
        {
            output.Write(value);
            output.Flush();
            _isOpen = true;
        }
    }

    /// <summary>Writes a text that is whole.</summary>
    public void Write(string text) => output.Write(text);

    /// <summary>Ends the line of what was generated, where that was not done yet.</summary>
    public void EndLine()
    {
        lock (_turn)
        {
            if (_isOpen) output.Write('\n');
            _isOpen = false;
        }
    }

    /// <summary>Ends the line on the screen, so that a message begins on one of its own; what goes to a file is left alone.</summary>
    public void EndLineOfTerminal()
    {
        if (TerminalFacts.IsTerminal(output)) EndLine();
    }
}
