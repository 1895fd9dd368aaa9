using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Tests.Rendering;

/// <summary>Notebooks as a run would hand them to the site: made by hand, one of everything.</summary>
internal static class SampleRuns
{
    public static IReadOnlyList<NotebookRun> All { get; } =
    [
        Run("00-start-here", "00 · Start here", "What is in this workbook, and how do you read a result?", RunState.Passed,
        [
            Markdown(1, "# 00 · Start here\n\n> What is in this workbook, and how do you read a result?\n\nGo on with [entropy thresholds](01-entropy-thresholds.dib#the-equation) or [the last one](09-absent.dib)."),
        ]),
        EntropyThresholds(),
        Run("02-broken", "02 · A notebook that fails", "What does a reader see when `x` is <none>?", RunState.Failed,
        [
            Markdown(1, "# 02 · A notebook that fails\n\nThe formula $\\fooo{x}$ is wrong.\n\n$$\n\\frac{1}{\n$$", RunState.Failed,
                new CellError("TexError", "Unknown TeX command \\fooo.", 3, "\\fooo{x}")),
            Code(2, "int n = 0;\nConsole.WriteLine(\"about to divide\");\nint broken = 1 / n;\nbroken", RunState.Failed,
                new CellError("DivideByZeroException", "Attempted to divide by <zero>.", 3, "   at Submission#2, line 3"),
                new StreamOutput(false, "about to divide\n"), new StreamOutput(true, "warning: n is 0 & that is <b>bad</b>\n")),
            Code(3, "1 + 1", RunState.NotRun, null),
        ]),
    ];

    public static ResultCheck Check(string name, double? declared, double? recorded, double tolerance, CheckState state)
    {
        NumberResult? Of(double? value) => value is double number ? new NumberResult(name, number, tolerance) : null;
        return new ResultCheck(Of(declared), Of(recorded), state);
    }

    public static NotebookRun Run(string id, string title, string question, RunState state, IReadOnlyList<CellRun> cells, params IReadOnlyList<ResultCheck> results) =>
        new(id, $"notebooks/{id}.dib", title, question, state, TimeSpan.FromSeconds(4.21), cells, results);

    public static NotebookRun With(NotebookRun run, params (string Name, string Value)[] parameters) =>
        run with { Parameters = parameters.ToDictionary(pair => pair.Name, pair => pair.Value) };

    public static CellRun Markdown(int number, string source, RunState state = RunState.Passed, CellError? error = null) =>
        new(number, "markdown", source, state, TimeSpan.Zero, [], error);

    public static CellRun Code(int number, string source, params IReadOnlyList<CellOutput> outputs) => Code(number, source, RunState.Passed, null, outputs);

    public static CellRun Code(int number, string source, RunState state, CellError? error, params IReadOnlyList<CellOutput> outputs) =>
        new(number, "csharp", source, state, TimeSpan.FromMilliseconds(123), outputs, error);

    public static DisplayOutput Display(string type, string text, bool isResult = false) =>
        new("display", new Dictionary<string, string> { [type] = text }, isResult);

    private static NotebookRun EntropyThresholds() => Run(
        "01-entropy-thresholds", "01 · Class-wise entropy thresholds", "Does every class need its own threshold to tell *known* from *unknown*?", RunState.Passed,
        [
            Markdown(1, """
                # 01 · Class-wise entropy thresholds

                > Does every class need its own threshold to tell *known* from *unknown*?

                A zero-shot classifier answers every question, also those it cannot know. Its **entropy** says how torn it is
                between its classes: low when one class wins clearly, high when many are equally likely. This notebook asks
                whether one threshold for all classes is enough.[^source]

                > [!NOTE]
                > The features here are those of real CLIP encoders; the zero-shot lessons use the classes that have text features.

                [^source]: Seminar A, section 2; the reference code is not public.
                """),
            Code(2, "#r \"../artifacts/notebook/ClipOod.Notebook.dll\"\nusing ClipOod.Notebook;\nusing static System.Math;"),
            Markdown(3, """
                ## The idea

                1. Embed the image and the classes' prompts.
                2. Turn similarities into probabilities with a softmax.
                3. Flag an image when its entropy exceeds **its class's** threshold.

                ## The equation

                With logits $z_k = s\,\langle v, w_k\rangle$ and scale $s = 100$, the probabilities and their entropy are

                $$
                p_k = \frac{e^{z_k}}{\sum_{j=1}^{K} e^{z_j}}, \qquad
                H(p) = -\sum_{k=1}^{K} p_k \log p_k \in [0, \log K],
                $$

                and an image of predicted class $\hat y = \operatorname*{arg\,max}_k p_k$ is flagged when $H(p) > \tau_{\hat y}$, where

                $$
                \tau_c = \begin{cases}
                  \operatorname*{arg\,max}_{t}\, \bigl[\mathrm{TPR}_c(t) - \mathrm{FPR}_c(t)\bigr] & \text{if } n_c \ge 2 \\
                  \bar\tau & \text{otherwise.}
                \end{cases}
                $$

                | symbol | meaning | shape | name in code |
                |:--|:--|:--|:--|
                | $V \in \mathbb{R}^{N\times D}$ | image features, unit rows | $(N, D)$ | `features` |
                | $W$ | text features, unit rows | $(K, D)$ | `text` |
                | $\tau_c$ | threshold of class $c$, nats | $(K,)$ | `thresholds.PerClass` |

                ### By hand

                For $p = (\tfrac12, \tfrac14, \tfrac14)$ the entropy is $\tfrac32 \log 2 \approx 1.04$ nats.
                """),
            Code(4, """
                // The entropy of one row, from scratch
                double Entropy(IEnumerable<double> p) => -p.Where(x => x > 0).Sum(x => x * Log(x));

                var toy = new[] { 0.5, 0.25, 0.25 };
                Console.WriteLine($"H = {Entropy(toy):F3} nats");
                var table = Scores.Entropy(probabilities).Select((h, i) => (Class: test.ClassOf(i), Entropy: h));
                table.Take(3).ToList()
                """,
                new StreamOutput(false, "H = 1.040 nats\n"),
                Display("text/html", """
                    <table><thead><tr><th>Class</th><th style="text-align:right">Entropy</th><th style="text-align:right">Threshold</th><th>Flagged</th></tr></thead>
                    <tbody><tr><td>airplane</td><td style="text-align:right">0.031</td><td style="text-align:right">0.412</td><td>no</td></tr>
                    <tr><td>automobile</td><td style="text-align:right">0.547</td><td style="text-align:right">0.398</td><td>yes</td></tr>
                    <tr><td>bird &amp; co</td><td style="text-align:right">1.204</td><td style="text-align:right">0.871</td><td>yes</td></tr></tbody></table>
                    """, isResult: true)),
            Markdown(5, "## On data\n\nThe histogram shows both populations. Look at where they overlap: no single line parts them.\n\n### By hand\n\nThe same heading twice is no problem."),
            Code(6, "Charts.ScoreHistogram(id, ood, threshold: 0.42)", Display("text/html", """
                <figure class="clipood-chart"><div id="chart-1" style="height:360px"></div>
                <script>
                (() => {
                  const bell = (m, s) => Array.from({length: 60}, (_, i) => Math.exp(-((i / 60 - m) ** 2) / (2 * s * s)) / s);
                  const x = Array.from({length: 60}, (_, i) => i / 60);
                  Plotly.newPlot("chart-1", [
                    {type: "bar", x, y: bell(0.7, 0.1), name: "CIFAR-10 (n = 250)", marker: {color: "#2b6cb0"}, opacity: 0.65},
                    {type: "bar", x, y: bell(0.45, 0.13), name: "DTD (n = 1,880)", marker: {color: "#dd6b20"}, opacity: 0.65}
                  ], {barmode: "overlay", bargap: 0, title: {text: "MCM score, ID and OOD", x: 0, font: {size: 15}}, height: 360, margin: {t: 40, r: 10, b: 45, l: 50},
                      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", legend: {orientation: "h", y: 1.12, x: 1, xanchor: "right"},
                      xaxis: {title: {text: "MCM score (higher = more in-distribution)"}}, yaxis: {title: {text: "density"}}}, {responsive: true, displaylogo: false});
                })();
                </script><figcaption>Scores of 250 ID and 1,880 OOD images; the classes' thresholds lie between 0.2 and 0.9.</figcaption></figure>
                """, isResult: true)),
            new CellRun(7, "html", "<p>An <b>html</b> cell with its own <span style=\"color:teal\">style</span>.</p>", RunState.Passed, TimeSpan.Zero,
                [Display("text/html", "<p>An <b>html</b> cell with its own <span style=\"color:teal\">style</span>.</p>")], null),
            new CellRun(8, "javascript", "return [1, 2, 3].map(x => x * x).join(\", \") + \" </script>\";", RunState.Passed, TimeSpan.Zero, [], null),
            Code(9, "Enumerable.Range(0, 5).ToArray()", Display("text/plain", "[ 0, 1, 2, 3, 4 ]", isResult: true)),
            Markdown(10, "## Summary\n\n- [x] entropy in nats\n- [ ] one threshold a class\n\n**Next:** [a notebook that fails](02-broken.dib)."),
        ],
        Check("AUROC, MCM, CIFAR-10 against DTD", 0.987654321, 0.9876, 1e-4, CheckState.Matches),
        Check("mean threshold (nats)", 0.4711, 0.4642, 1e-3, CheckState.Differs),
        Check("classes on the fallback", 3, null, 0, CheckState.New),
        Check("accuracy", null, 0.913, 1e-3, CheckState.Missing));
}
