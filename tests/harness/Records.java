import java.nio.charset.StandardCharsets;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What Athena's RegexSerDe does: the first line is the pattern, every other one a record. A line comes out for each record,
 *  its columns with U+001F between them and U+0000 for NULL, or an empty line if the pattern does not match. */
class Records {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Pattern pattern = Pattern.compile(in.readLine(), Pattern.DOTALL);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Matcher matcher = pattern.matcher(line);
            StringJoiner columns = new StringJoiner("\u001f");
            if (matcher.matches()) {
                for (int group = 1; group <= matcher.groupCount(); group++) {
                    columns.add(matcher.group(group) == null ? "\u0000" : matcher.group(group));
                }
            }
            out.println(columns);
        }
    }
}
