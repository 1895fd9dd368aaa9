using Spectre.Console;

namespace ClipOod.Runner.Commands;

/// <summary>What commands print to.</summary>
internal static class Terminal
{
    /// <summary>A console on a terminal, or on a log or pipe, which has no colours and no width to wrap at.</summary>
    /// <param name="writer">Where to print.</param>
    public static IAnsiConsole On(TextWriter writer)
    {
        var output = new AnsiConsoleOutput(writer);
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = output,
            Ansi = output.IsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = output.IsTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        });
        if (!output.IsTerminal)
        {
            console.Profile.Width = int.MaxValue;
        }

        return console;
    }
}
