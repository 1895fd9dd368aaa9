using System.CommandLine;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Rendering;

namespace ClipOod.Runner.Commands;

/// <summary>The options that all commands share which run notebooks.</summary>
internal sealed class RunCommandOptions
{
    private readonly Option<string> _notebooks = new("--notebooks")
    {
        Description = "Folder of the notebooks [default: notebooks/ of the repository]",
        HelpName = "FOLDER",
    };

    private readonly Option<string> _expected = new("--expected")
    {
        Description = "Folder of the recorded results [default: expected/ and the name of the world, in the folder of the notebooks]",
        HelpName = "FOLDER",
    };

    private readonly Option<string[]> _parameters = new("--param")
    {
        Description = "Set a parameter that a notebook asks for; may be repeated",
        HelpName = "NAME=VALUE",
    };

    private readonly Option<double> _cellTimeout = Seconds("--cell-timeout", "Longest time that a cell may take", new RunOptions().CellTimeout);

    private readonly Option<double> _timeout = Seconds("--timeout", "Longest time that a notebook may take", new RunOptions().NotebookTimeout);

    private readonly Option<int> _processes = new("--processes")
    {
        Description = "Notebooks that run at the same time",
        HelpName = "N",
        DefaultValueFactory = _ => new RunOptions().Processes,
    };

    private readonly Option<bool> _anyWorld = new("--no-world")
    {
        Description = "Run also where no world is found, for notebooks that need none",
    };

    public RunCommandOptions()
    {
        _processes.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--processes must be at least 1.");
            }
        });
    }

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _notebooks, _expected, _parameters, _cellTimeout, _timeout, _processes, _anyWorld })
        {
            command.Options.Add(option);
        }
    }

    public string NotebooksFolder(ParseResult parse) =>
        parse.GetValue(_notebooks) ?? WorkbookFolders.Around(Environment.CurrentDirectory).Notebooks;

    public string ExpectedFolder(ParseResult parse, string notebooks) =>
        parse.GetValue(_expected) ?? Path.Combine(notebooks, "expected", CurrentWorld.Name);

    public void RequireWorld(ParseResult parse)
    {
        if (!parse.GetValue(_anyWorld))
        {
            CurrentWorld.Require();
        }
    }

    public RunOptions Options(ParseResult parse) => new()
    {
        Processes = parse.GetValue(_processes),
        CellTimeout = TimeSpan.FromSeconds(parse.GetValue(_cellTimeout)),
        NotebookTimeout = TimeSpan.FromSeconds(parse.GetValue(_timeout)),
        Parameters = Parameters(parse),
        CheckCell = cell => cell.Kernel == "markdown" ? MarkdownRenderer.Validate(cell.Source) : null,
    };

    public IReadOnlyDictionary<string, string> Parameters(ParseResult parse)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string text in parse.GetValue(_parameters) ?? [])
        {
            if (text.Split('=', 2) is not [{ Length: > 0 } name, var value])
            {
                throw new CommandException($"--param {text}: expected NAME=VALUE, such as --param seed=1.");
            }

            if (!parameters.TryAdd(name, value))
            {
                throw new CommandException($"--param {name} is given twice. Give it once.");
            }
        }

        return parameters;
    }

    /// <exception cref="CommandException">A parameter was given that no notebook asked for.</exception>
    public static void RequireParametersKnown(IReadOnlyDictionary<string, string> given, IReadOnlyCollection<string> asked)
    {
        string[] unknown = [.. given.Keys.Where(name => !asked.Contains(name)).Order(StringComparer.Ordinal)];
        if (unknown.Length > 0)
        {
            string known = asked.Count > 0 ? string.Join(", ", asked) : "none";
            throw new CommandException($"No notebook of this run asked for the parameter '{unknown[0]}'. Parameters asked for: {known}.");
        }
    }

    private static Option<double> Seconds(string name, string description, TimeSpan fallback)
    {
        var option = new Option<double>(name)
        {
            Description = description,
            HelpName = "SECONDS",
            DefaultValueFactory = _ => fallback.TotalSeconds,
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (> 0 and < 1e6))
            {
                result.AddError($"{name} must be a number of seconds above 0 and below 1000000.");
            }
        });
        return option;
    }
}
