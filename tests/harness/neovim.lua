-- Neovim (0.7 or newer) with `logmap lsp`, and what editor.py asks of it. Waiting is done in Neovim's event loop.
local PATIENCE = 60000

local function await(what, test)
  if not vim.wait(PATIENCE, test, 5) then error('Neovim waits in vain for ' .. what) end
end

local function put_cursor(needle)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local at = line:find(needle, 1, true)
    if at then return vim.api.nvim_win_set_cursor(0, { number, at - 1 }) end
  end
  error(needle .. ' is not in the buffer')
end

local function codes()
  local found = {}
  for _, each in ipairs(vim.diagnostic.get(0)) do
    local code = each.code or each.user_data.lsp.code
    table.insert(found, { code = code, line = each.lnum, column = each.col, message = each.message })
  end
  return found
end

local function has(code)
  return vim.tbl_contains(vim.tbl_map(function(each) return each.code end, codes()), code)
end

-- Opens the map and attaches the server, as a user's set-up would.
function _G.Attach(logmap)
  vim.cmd('edit logmap.yaml')
  local id = vim.lsp.start_client({ name = 'logmap', cmd = { logmap, 'lsp' }, root_dir = vim.fn.getcwd() })
  vim.lsp.buf_attach_client(0, id)
  vim.opt.completeopt = 'menuone'
  vim.bo.indentexpr = ''
  vim.bo.omnifunc = 'v:lua.vim.lsp.omnifunc'
  await('the server', function() return vim.lsp.get_client_by_id(id).initialized end)
  return true
end

-- The diagnostics, once one of a rule is among them (or none is).
function _G.Diagnostics(code, wanted)
  await((wanted and '' or 'no ') .. code, function() return has(code) == wanted end)
  return codes()
end

-- Chooses the first code action at a place; gives the titles that were offered.
function _G.Fix(needle)
  put_cursor(needle)
  local titles
  vim.ui.select = function(items, options, choose)
    titles = vim.tbl_map(options.format_item, items)
    choose(items[1], 1)
  end
  local before = vim.api.nvim_buf_get_changedtick(0)
  vim.lsp.buf.code_action()
  await('the fix', function() return titles and vim.api.nvim_buf_get_changedtick(0) > before end)
  return titles
end

-- The text of the window that hovering opens.
function _G.Hover(needle)
  put_cursor(needle)
  vim.lsp.buf.hover()
  local float
  await('the hover', function()
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(window).relative ~= '' then float = window end
    end
    return float
  end)
  local text = table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(float), 0, -1, false), '\n')
  vim.api.nvim_win_close(float, true)
  return text
end

-- The words of the completion menu; nothing while it is not open. Waiting here would keep it from opening.
function _G.Menu()
  if vim.fn.pumvisible() == 0 then return nil end
  return vim.tbl_map(function(item) return item.abbr end, vim.fn.complete_info({ 'items' }).items)
end

function _G.Rename(needle, name)
  put_cursor(needle)
  local before = vim.api.nvim_buf_get_changedtick(0)
  vim.lsp.buf.rename(name)
  await('the renaming', function() return vim.api.nvim_buf_get_changedtick(0) > before end)
  return true
end

function _G.Goto(needle)
  put_cursor(needle)
  local before = vim.api.nvim_win_get_cursor(0)[1]
  vim.lsp.buf.definition()
  await('the definition', function() return vim.api.nvim_win_get_cursor(0)[1] ~= before end)
  return vim.api.nvim_get_current_line()
end

function _G.Lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end
