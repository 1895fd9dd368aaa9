namespace ClipOod.Runner.Commands;

/// <summary>What the program's exit code says.</summary>
internal static class ExitCodes
{
    public const int Passed = 0;
    public const int Failed = 1;

    /// <summary>The command line, a file or the world is not as needed; nothing was written.</summary>
    public const int BadInput = 2;

    /// <summary>What shells report for a program that Ctrl-C ended.</summary>
    public const int Cancelled = 130;
}

/// <summary>An error of which the message is all that a user needs.</summary>
internal sealed class CommandException(string message) : Exception(message);
